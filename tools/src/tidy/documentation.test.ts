import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkDocumentation } from './documentation.ts'
import { findingText } from './finding.ts'
import { repositoryOf } from './repository.ts'

const HEAD = '/**\n * What for.\n *\n * @module\n */\n'

function findings(text: string, path = 'packages/core/src/kernel/a.ts'): string[] {
  return checkDocumentation(repositoryOf({ [path]: text })).map(findingText)
}

describe('checkDocumentation', () => {
  it('asks for a head comment, which is not that of the first export', () => {
    assert.match(findings('const a = 1')[0] ?? '', /a\.ts:1 has no head comment/)
    assert.match(findings('/** One. */\nexport const a = 1')[0] ?? '', /has no head comment/)
    assert.deepEqual(findings(`${HEAD}export const a = 1`), [
      'packages/core/src/kernel/a.ts:6 a is exported without a comment',
    ])
  })

  for (const code of [
    'export const a = 1',
    'export const { a } = b',
    'export function a() {}',
    'export async function a() {}',
    'export class a {}',
    'export interface a {}',
    'export type a = 1',
    'const a = 1\nexport { a }',
    'export default function a() {}',
  ]) {
    it(`asks for a comment on ${JSON.stringify(code)}`, () => {
      assert.equal(findings(`${HEAD}${code}`).length, 1)
      assert.equal(findings(`${HEAD}// Not this.\n${code}`).length, 1)
      assert.deepEqual(findings(`${HEAD}\n/** What it is. */\n${code}`), [])
    })
  }

  it('is content with one comment for overloads, and for a type and a value of one name', () => {
    const overloads =
      '/** Adds. */\nexport function a(b: 1): 1\nexport function a(b: 2): 2\nexport function a(b) {}'
    assert.deepEqual(findings(`${HEAD}${overloads}`), [])
    assert.deepEqual(findings(`${HEAD}/** Money. */\nexport type A = 1\nexport const A = 1`), [])
  })

  it('asks nothing for what is passed on, of tests, and of exports outside the product', () => {
    assert.deepEqual(findings(`${HEAD}export { b } from './b.ts'`), [])
    assert.deepEqual(findings('export const a = 1', 'packages/core/src/kernel/a.test.ts'), [])
    assert.deepEqual(findings(`${HEAD}export const a = 1`, 'tools/a.mjs'), [])
  })
})
