import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { root } from './flotilla-process.ts'
import { mutants } from './mutants/mutants.ts'

describe('mutants', () => {
  it('find what they change, once each', () => {
    const lost = mutants.filter(
      ({ file, find }) => readFileSync(join(root, file), 'utf8').split(find).length !== 2,
    )
    assert.deepEqual(
      lost.map(({ name }) => name),
      [],
    )
    assert.ok(mutants.length >= 15)
  })
})
