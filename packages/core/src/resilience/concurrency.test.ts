import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ConcurrencyBound, type Startable } from './concurrency.ts'

const anyStep = fc.oneof(
  { weight: 3, arbitrary: fc.constant('call' as const) },
  { weight: 2, arbitrary: fc.constant('finish' as const) },
  { weight: 1, arbitrary: fc.constant('give up' as const) },
)

describe('ConcurrencyBound', () => {
  it('ConcurrencyBound never runs or keeps more than its bounds, and starts those that wait in order', () => {
    const anyBounds = fc.record({ limit: fc.integer({ min: 1, max: 4 }), queueMax: fc.nat(4) })
    fc.assert(
      fc.property(
        anyBounds,
        fc.array(anyStep, { maxLength: 60, size: 'max' }),
        ({ limit, queueMax }, steps) => {
          const bound = new ConcurrencyBound(limit, queueMax)
          const queue: Startable[] = []
          let running = 0
          const call = (): void => {
            if (bound.tryEnter()) {
              assert.deepEqual(queue, [], 'came in before those that wait')
              running++
              return
            }
            assert.equal(running, limit, 'refused a free place')
            const waiting: Startable = {
              start() {
                assert.equal(queue.shift(), waiting, 'started out of turn')
                running++
              },
            }
            assert.equal(bound.enqueue(waiting), queue.length < queueMax)
            if (queue.length < queueMax) queue.push(waiting)
          }
          const finish = (): void => {
            if (running === 0) return
            running--
            bound.leave()
          }
          const giveUp = (): void => {
            const waiting = queue.splice(queue.length >> 1, 1)[0]
            if (waiting) assert.equal(bound.withdraw(waiting), true)
            assert.equal(bound.withdraw(waiting ?? { start() {} }), false)
          }
          for (const step of steps) {
            if (step === 'call') call()
            else if (step === 'finish') finish()
            else giveUp()
            assert.ok(running <= limit)
            assert.equal(bound.running, running)
            assert.equal(bound.waiting, queue.length)
            assert.ok(queue.length === 0 || running === limit, 'one waits although a place is free')
          }
        },
      ),
    )
  })
})
