import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { NumberMap } from './number-map.ts'

describe('NumberMap', () => {
  it('is a map', () => {
    // Few numbers, many of which want the same place.
    const key = fc.tuple(fc.nat(20), fc.constantFrom(0, 64, 128, 4096, 0xffff_ff00)).map(([a, b]) => a + b)
    const step = fc.oneof(
      { weight: 10, arbitrary: fc.tuple(fc.constant('set' as const), key) },
      { weight: 5, arbitrary: fc.tuple(fc.constant('delete' as const), key) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('fill' as const), key) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const [ours, theirs] = [new NumberMap<{ of: number }>(), new Map<number, { of: number }>()]
        const set = (its: number): void => {
          const value = { of: its }
          ours.set(its, value)
          theirs.set(its, value)
        }
        for (const [what, its] of steps) {
          if (what === 'set') set(its)
          else if (what === 'fill') for (let more = 0; more < 100; more++) set((its + more) >>> 0)
          else {
            ours.delete(its)
            theirs.delete(its)
          }
          assert.equal(ours.size, theirs.size)
          assert.equal(ours.get(its), theirs.get(its))
          assert.equal(ours.has(its), theirs.has(its))
        }
        const inOrder = (values: Iterable<{ of: number }>): number[] =>
          [...values].map(({ of }) => of).toSorted((a, b) => a - b)
        assert.deepEqual(inOrder(ours.values()), inOrder(theirs.values()))
        for (const [its, value] of theirs) assert.equal(ours.get(its), value)
        ours.clear()
        assert.deepEqual([ours.size, ours.values()], [0, []])
      }),
    )
  })
})
