import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sparkPath } from './spark.tsx'

describe('sparkPath', () => {
  it('goes from edge to edge, the highest value at the top', () => {
    assert.equal(sparkPath([0, 5, 10], 100, 20), 'M0.0 20.0L50.0 10.0L100.0 0.0')
    assert.equal(sparkPath([0, 0], 10, 20), 'M0.0 20.0L10.0 20.0')
  })
})
