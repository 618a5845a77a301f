import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Turns } from './turns.ts'

describe('Turns', () => {
  it('runs all works, in the order they came, never more at once than it may', async () => {
    const works = fc.array(fc.record({ steps: fc.nat(4), fails: fc.boolean() }), { maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(works, fc.integer({ min: 1, max: 4 }), async (its, atOnceMax) => {
        const turns = new Turns(atOnceMax)
        const begun: number[] = []
        let running = 0
        const results = await Promise.allSettled(
          its.map(({ steps, fails }, index) =>
            turns.take(async () => {
              begun.push(index)
              running += 1
              assert.ok(running <= atOnceMax)
              for (let step = 0; step < steps; step += 1) await Promise.resolve()
              running -= 1
              if (fails) throw new Error('fails')
              return index
            }),
          ),
        )
        assert.equal(running, 0)
        assert.deepEqual(begun, [...its.keys()])
        for (const [index, result] of results.entries()) {
          assert.equal(result.status, its[index]?.fails ? 'rejected' : 'fulfilled')
        }
      }),
    )
  })

  it('lets nobody in who comes when a place is passed on', async () => {
    const comers = fc.array(fc.record({ comesAfter: fc.nat(12), steps: fc.nat(6) }), { maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(comers, fc.integer({ min: 1, max: 3 }), async (its, atOnceMax) => {
        const turns = new Turns(atOnceMax)
        let running = 0
        let done = 0
        await Promise.all(
          its.map(async ({ comesAfter, steps }) => {
            for (let step = 0; step < comesAfter; step += 1) await Promise.resolve()
            await turns.take(async () => {
              running += 1
              assert.ok(running <= atOnceMax)
              for (let step = 0; step < steps; step += 1) await Promise.resolve()
              running -= 1
              done += 1
            })
          }),
        )
        assert.equal(done, its.length)
      }),
    )
  })
})
