import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { readRepository } from '../tidy/repository.ts'
import { examplesOf } from './examples.ts'
import { compileExamples } from './program.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const { programs, mistakes } = await compileExamples(root, '.cache/doctest', examplesOf(readRepository(root)))

describe('examples of the documentation', () => {
  it('compile', () => {
    if (mistakes !== '') assert.fail(`\n${mistakes}`)
  })

  for (const { example, modulePath } of programs) {
    it(`run: ${example.path}:${example.line} ${example.title}`, async () => {
      await import(pathToFileURL(modulePath).href)
    })
  }
})
