import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { compileExamples } from './program.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

describe('compileExamples', () => {
  it('makes modules that run, and tells the mistakes at their place in the source', async () => {
    const { programs, mistakes } = await compileExamples(root, '.cache/doctest-test', [
      { path: 'docs/a.md', line: 3, title: '', code: 'const one: number = 1\nassert.equal(one, 1)' },
      { path: 'docs/a.md', line: 9, title: '', code: 'assert.equal(1, 2)' },
      { path: 'docs/a.md', line: 20, title: '', code: '\nconst one: number = true' },
    ])
    assert.match(mistakes, /^docs\/a\.md\(21,7\): error TS2322: [^\n]*$/)
    const run = programs.map(({ modulePath }) => import(pathToFileURL(modulePath).href))
    const outcomes = await Promise.allSettled(run)
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
  })

  it('is content with no examples', async () => {
    assert.deepEqual(await compileExamples(root, '.cache/doctest-none', []), { programs: [], mistakes: '' })
  })
})
