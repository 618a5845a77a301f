import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkDeadCode } from './dead-code.ts'
import { findingText } from './finding.ts'
import { repositoryOf } from './repository.ts'

const ENTRY = 'packages/core/src/wire/main.ts'
const A = 'packages/core/src/wire/a.ts'

function findings(files: Record<string, string>, unused: readonly object[] = []): string[] {
  const allowed = JSON.stringify({ entries: [{ path: ENTRY, reason: 'a program' }], unused })
  const manifest = JSON.stringify({
    name: '@flotilla/core',
    exports: { './public': './dist/kernel/public.js' },
  })
  return checkDeadCode(
    repositoryOf({
      [ENTRY]: '',
      'tools/src/tidy/allowed.json': allowed,
      'packages/core/package.json': manifest,
      ...files,
    }),
  ).map(findingText)
}

describe('checkDeadCode', () => {
  it('finds a file nobody imports, or only a test', () => {
    const finding = `${A}:1 no file of the product imports it: remove it, or list it as an entry`
    assert.deepEqual(findings({ [A]: 'export const a = 1' }), [finding])
    const test = "import { a } from './a.ts'"
    assert.deepEqual(findings({ [A]: 'export const a = 1', 'packages/core/src/wire/a.test.ts': test }), [
      finding,
    ])
  })

  it('finds an export nobody takes, whatever form it has', () => {
    const text = 'export const a = 1\nexport function b() {}\nexport type C = 1\nconst d = 1\nexport { d }'
    const found = findings({ [A]: text, [ENTRY]: "import { a } from './a.ts'" })
    assert.deepEqual(
      found.map((one) => one.split(' ')[1]),
      ['b', 'C', 'd'],
    )
  })

  it('tells an export that only its own file uses', () => {
    const found = findings({
      [A]: 'export const a = 1\nexport const b = a',
      [ENTRY]: "import { b } from './a.ts'",
    })
    assert.deepEqual(found, [`${A}:1 a is exported but only its own file uses it: do not export it`])
  })

  it('accepts what is imported statically, dynamically, as a namespace, as a type, by URL, by package name', () => {
    for (const text of [
      "import { a } from './a.ts'",
      "const { a } = await import('./a.ts')",
      "import * as all from './a.ts'",
      "import type { a } from './a.ts'",
      "let a: import('./a.ts').a",
      "export { a } from './a.ts'",
      "spawn(new URL('./a.js', import.meta.url))",
    ]) {
      assert.deepEqual(findings({ [A]: 'export const a = 1', [ENTRY]: text }), [], text)
    }
  })

  it('accepts what package.json exports', () => {
    assert.deepEqual(findings({ 'packages/core/src/kernel/public.ts': 'export const a = 1' }), [])
  })

  it('accepts a type that another declaration of its file mentions, and an own use that a test looks at', () => {
    const text =
      'export interface Options {}\nexport const inner = 1\nexport function a(one: Options) { return inner }'
    const test = "import { inner } from './a.ts'"
    const files = {
      [A]: text,
      [ENTRY]: "import { a } from './a.ts'",
      'packages/core/src/wire/a.test.ts': test,
    }
    assert.deepEqual(findings(files), [])
  })

  it('counts what tests take from a test bed', () => {
    const files = {
      'packages/core/src/testing/bed.ts': 'export const bed = 1',
      'packages/core/src/wire/a.test.ts': "import { bed } from '../testing/bed.ts'",
    }
    assert.deepEqual(findings(files), [])
  })

  it('accepts what waits for its user, until it has one', () => {
    const unused = [{ path: 'packages/core/src/wire/', reason: 'being written' }]
    assert.deepEqual(findings({ [A]: 'export const a = 1' }, unused), [])
    assert.match(
      findings({}, unused)[0] ?? '',
      /unused: packages\/core\/src\/wire\/ needs no exception any more/,
    )
  })
})
