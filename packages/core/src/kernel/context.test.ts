import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { criticalities, lessCritical } from './context.ts'

describe('criticalities', () => {
  it('criticalities go from what is served last to what is shed first', () => {
    assert.deepEqual(criticalities, ['critical_plus', 'critical', 'sheddable_plus', 'sheddable'])
  })
})

describe('lessCritical', () => {
  it('lessCritical lowers and never raises', () => {
    const wanted = (given: (typeof criticalities)[number]) =>
      criticalities.map((wanted) => criticalities.indexOf(lessCritical(given, wanted)))
    assert.deepEqual(criticalities.map(wanted), [
      [0, 1, 2, 3],
      [1, 1, 2, 3],
      [2, 2, 2, 3],
      [3, 3, 3, 3],
    ])
  })
})
