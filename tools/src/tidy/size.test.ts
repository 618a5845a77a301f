import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findingText } from './finding.ts'
import { repositoryOf } from './repository.ts'
import { checkSize } from './size.ts'

function lines(count: number): string {
  return 'f()\n'.repeat(count)
}

function findings(text: string, large: readonly object[] = [], path = 'tools/a.ts'): string[] {
  const allowed = JSON.stringify({ large })
  return checkSize(repositoryOf({ [path]: text, 'tools/src/tidy/allowed.json': allowed })).map(findingText)
}

describe('checkSize', () => {
  it('refuses a file of 351 lines, but not a test', () => {
    assert.deepEqual(findings(lines(350)), [])
    assert.deepEqual(findings(lines(351)), [
      'tools/a.ts:1 the file has 351 lines, at most 350: split it where its thoughts part',
    ])
    assert.deepEqual(findings(lines(351), [], 'tools/a.test.ts'), [])
  })

  for (const [head, name] of [
    ['function a() {', 'a'],
    ['const a = () => {', 'a'],
    ['class A { a() {', 'a'],
    ['class A { #a() {', 'a'],
    ['const b = { a() {', 'a'],
    ['const b = { a: async function () {', 'a'],
    ['run(() => {', 'a function'],
  ] as const) {
    it(`refuses ${head} of 71 lines, blank lines aside`, () => {
      const close = head.startsWith('run') ? '})' : '}'.repeat(head.split('{').length - 1)
      assert.deepEqual(findings(`${head}\n\n\n${lines(68)}${close}`), [])
      const [finding = ''] = findings(`${head}\n${lines(69)}${close}`)
      assert.ok(finding.startsWith(`tools/a.ts:1 ${name} has 71 lines, at most 70`), finding)
    })
  }

  it('lets a listed one be as large as the list says, and no larger', () => {
    const large = [{ path: 'tools/a.ts', names: ['the file'], linesMax: 400, reason: 'one thought' }]
    assert.deepEqual(findings(lines(400), large), [])
    assert.match(findings(lines(401), large)[0] ?? '', /401 lines, at most 400/)
  })

  it('asks to remove an exception that is not needed any more', () => {
    const large = [{ path: 'tools/a.ts', names: ['the file'], linesMax: 400, reason: 'one thought' }]
    assert.deepEqual(findings(lines(10), large), [
      'tools/src/tidy/allowed.json:1 large: tools/a.ts the file needs no exception any more: remove it',
    ])
  })
})
