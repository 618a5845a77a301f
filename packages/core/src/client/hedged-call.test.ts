import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Cancellation } from '../kernel/cancellation.ts'
import { FlotillaError } from '../kernel/error.ts'
import { VirtualFleet } from '../testing/virtual-fleet.ts'

/** A fleet whose client has seen what it takes to know latencies: 5 to 15 ms. */
async function experienced(names: readonly string[], policies = {}): Promise<VirtualFleet> {
  const fleet = new VirtualFleet(names, 1, policies)
  await fleet.load(250, 6_000)
  fleet.arrivals.length = 0
  return fleet
}

describe('HedgedCall', () => {
  it('takes the answer of a second instance when the first takes unusually long, and cancels the first', async () => {
    const fleet = await experienced(['a', 'b'])
    fleet.behave('a', { isHanging: true })
    const startMs = fleet.clock.monotonicMs()
    for (let calls = 0; fleet.arrivalsAt('a') === 0; calls++) {
      assert.ok(calls < 100)
      const reply = fleet.call()
      await fleet.clock.advance(100)
      assert.deepEqual((await reply).output, { by: 'b' })
    }
    const toA = fleet.arrivals.filter(({ to }) => to === 'a')
    assert.equal(toA.length, 1)
    assert.ok(toA[0]?.isCanceled)
    assert.ok(fleet.clock.monotonicMs() > startMs)
    assert.equal(fleet.decisions('hedge_won') >= 1, true)
    const events = fleet.spans.all().filter(({ name }) => name === 'hedged')
    assert.equal(events.at(-1)?.parentId, fleet.spans.all().findLast(({ kind }) => kind === 'client')?.spanId)
  })

  it('lets the first answer win when it comes after all, and cancels the second', async () => {
    const fleet = await experienced(['a', 'b'])
    fleet.behave('a', { latencyMs: 40 })
    fleet.behave('b', { latencyMs: 400 })
    const cancels = (): number => fleet.arrivals.filter(({ isCanceled }) => isCanceled).length
    for (let calls = 0; cancels() === 0; calls++) {
      assert.ok(calls < 100)
      const reply = fleet.call()
      await fleet.clock.advance(1_000)
      assert.equal((await reply).error, undefined)
    }
    assert.ok(fleet.arrivals.length >= 2)
  })

  it('waits for the other answer when one fails, and fails when both do', async () => {
    const fleet = await experienced(['a', 'b'])
    const error = new FlotillaError('internal', 'It failed.')
    fleet.behave('a', { latencyMs: 100, failedShare: 1, error })
    fleet.behave('b', { latencyMs: 200 })
    const first = fleet.call()
    await fleet.clock.advance(500)
    assert.deepEqual((await first).output, { by: 'b' })
    fleet.behave('b', { latencyMs: 200, failedShare: 1, error })
    const second = fleet.call()
    await fleet.clock.advance(1_000)
    assert.equal((await second).error?.code, 'internal')
  })

  it('cancels both when the caller gives up, and settles once', async () => {
    const fleet = await experienced(['a', 'b'])
    fleet.behave('a', { isHanging: true })
    fleet.behave('b', { isHanging: true })
    const cancellation = new Cancellation()
    const reply = fleet.call('read', 1_000, {}, cancellation)
    await fleet.clock.advance(100)
    assert.equal(fleet.arrivals.length, 2)
    cancellation.cancel(new FlotillaError('canceled', 'Gone.'))
    assert.equal((await reply).error?.code, 'canceled')
    assert.ok(fleet.arrivals.every(({ isCanceled }) => isCanceled))
    assert.equal(fleet.clock.pending, 0)
  })

  it('stays within the budget when all become slow, and sends one in twenty a second time once that is usual', async () => {
    const fleet = await experienced(['a', 'b', 'c'])
    for (const name of ['a', 'b', 'c']) fleet.behave(name, { latencyMs: 150 })
    const change = await fleet.load(250, 12_000)
    assert.equal(change.failures, 0)
    // What was saved by the calls before counts, and one a second.
    assert.ok(fleet.arrivals.length <= (change.calls + 1_500) * 1.1 + 12)
    fleet.arrivals.length = 0
    const { calls, failures } = await fleet.load(250, 8_000)
    assert.equal(failures, 0)
    assert.ok(fleet.arrivals.length <= calls * 1.05 + 1, `${fleet.arrivals.length} of ${calls}`)
  })

  it('has callers see nothing of what probes see, and lets the probe end', async () => {
    const fleet = await experienced(['a', 'b', 'c'])
    fleet.behave('a', { failedShare: 1 })
    const first = await fleet.load(250, 1_000)
    assert.ok(first.failures <= 1)
    let failures = 0
    for (let round = 0; round < 30; round++) failures += (await fleet.load(50, 4_000)).failures
    assert.equal(failures, 0)
    const toA = fleet.arrivals.filter(({ to }) => to === 'a')
    assert.ok(toA.length >= 3)
    assert.ok(toA.every(({ isCanceled }) => !isCanceled))
  })

  it('is for queries that have a second instance to go to, and takes what it costs from the budget for retries', async () => {
    for (const [names, policies, name] of [
      [['a'], {}, 'read'],
      [['a', 'b'], {}, 'write'],
      [['a', 'b'], { retries: { ratio: 0, floorPerSec: 0 } }, 'read'],
    ] as const) {
      const fleet = await experienced(names, policies)
      for (const one of names) fleet.behave(one, { latencyMs: 60 })
      const { calls } = await fleet.load(20, 2_000, name)
      assert.equal(fleet.arrivals.length, calls)
    }
  })

  it('sends a second time late, where early is switched off, what takes longer than nearly all', async () => {
    const fleet = await experienced(['a', 'b'], { calls: { hedging: false } })
    fleet.behave('a', { isHanging: true })
    for (let calls = 0; fleet.arrivalsAt('a') === 0; calls++) {
      assert.ok(calls < 100)
      const reply = fleet.call()
      await fleet.clock.advance(200)
      assert.deepEqual((await reply).output, { by: 'b' })
    }
  })
})
