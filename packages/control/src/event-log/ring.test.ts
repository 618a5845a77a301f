import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { testEvent } from '@flotilla/core/event-log-fixture'
import fc from 'fast-check'
import { Ring, type RingEntry } from './ring.ts'

const entryAt = (position: number, bytes = 100): RingEntry => ({
  logged: { position, partition: 0, event: testEvent('orders') },
  bytes,
})

const positionsAfter = (ring: Ring, position: number): readonly number[] | undefined => {
  const entries = ring.after(position)
  return entries && [...entries].map(({ logged }) => logged.position)
}

describe('Ring', () => {
  it('starts anew where what is added does not begin at its end', () => {
    const ring = new Ring(5, { eventsMax: 10, bytesMax: 10_000 })
    ring.push(5, { entries: [entryAt(6), entryAt(7)], upTo: 7 })
    assert.deepEqual(positionsAfter(ring, 5), [6, 7])
    // 8 and 9 came and went unseen.
    ring.push(9, { entries: [entryAt(10)], upTo: 10 })
    assert.deepEqual([ring.floor, ring.head], [9, 10])
    assert.equal(positionsAfter(ring, 7), undefined)
    assert.deepEqual(positionsAfter(ring, 9), [10])
  })

  it('keeps within its bounds, and still has all after its floor', () => {
    const pushes = fc.array(fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 8 }), { maxLength: 30 })
    fc.assert(
      fc.property(pushes, fc.integer({ min: 1, max: 12 }), (batches, eventsMax) => {
        const ring = new Ring(0, { eventsMax, bytesMax: 10_000 })
        const all: RingEntry[] = []
        for (const sizes of batches) {
          const after = ring.head
          const entries = sizes.map((bytes, index) => entryAt(after + index + 1, bytes))
          // Positions without an event are possible too: forgotten ones.
          ring.push(after, { entries, upTo: after + sizes.length + (sizes.length % 2) })
          all.push(...entries)
          const kept = all.filter(({ logged }) => logged.position > ring.floor)
          assert.ok(kept.length <= eventsMax)
          assert.ok(kept.reduce((sum, { bytes }) => sum + bytes, 0) <= 10_000)
          for (let position = 0; position <= ring.head; position++) {
            const expected = kept
              .filter(({ logged }) => logged.position > position)
              .map(({ logged }) => logged.position)
            assert.deepEqual(positionsAfter(ring, position), position < ring.floor ? undefined : expected)
          }
        }
      }),
    )
  })
})
