import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FlotillaError } from '../kernel/error.ts'
import { type Behaviour, VirtualFleet } from '../testing/virtual-fleet.ts'

/** Nothing is left alone, made again, sent twice or refused. */
const noMechanism = {
  balance: { policy: 'round_robin', panicShare: 1 },
  calls: { breaker: false, hedging: false, refuseLate: false },
  retries: { ratio: 0, floorPerSec: 0 },
} as const

const four = ['a', 'b', 'c', 'd']

/** What callers see when one of four becomes ill; shares of calls, the second after two seconds. */
async function illness(behaviour: Behaviour, policies = {}) {
  const fleet = new VirtualFleet(four, 1, policies)
  await fleet.load(250, 4_000)
  fleet.behave('a', behaviour)
  const startMs = fleet.clock.monotonicMs()
  const { calls, failures } = await fleet.load(250, 12_000)
  const toIt = fleet.arrivalsAt('a', startMs + 2_000)
  return { failedShare: failures / calls, toItShare: toIt / (calls * (10 / 12)) }
}

const ills: Readonly<Record<string, Behaviour>> = {
  'is 200 ms slower': { latencyMs: 210 },
  'fails every call': { failedShare: 1 },
  'fails every other call': { failedShare: 0.5 },
  'fails at once': { failedShare: 1, latencyMs: 0 },
  hangs: { isHanging: true },
}

describe('A client before a fleet', () => {
  for (const [name, behaviour] of Object.entries(ills)) {
    it(`keeps away from one of four that ${name}`, async () => {
      const shipped = await illness(behaviour)
      assert.ok(shipped.failedShare <= 0.001, `${shipped.failedShare} failed`)
      assert.ok(shipped.toItShare <= 0.05, `${shipped.toItShare} to it`)
      const control = await illness(behaviour, noMechanism)
      assert.ok(control.failedShare > 0.01 || control.toItShare > 0.2)
    })
  }

  it('loses next to nothing when five of ten are killed', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `i${index}`)
    const killing = async (policies = {}): Promise<number> => {
      const fleet = new VirtualFleet(names, 1, policies)
      for (const name of names) fleet.behave(name, { latencyMs: 100 })
      await fleet.load(250, 4_000)
      fleet.clock.schedule(500, () => {
        for (const name of names.slice(0, 5)) fleet.behave(name, { isGone: true })
      })
      const { calls, failures } = await fleet.load(250, 1_000)
      return failures / calls
    }
    assert.ok((await killing()) < 0.01)
    assert.ok((await killing(noMechanism)) > 0.01)
  })

  it('sends a dead callee hardly more than its calls, and once the breaker is open next to nothing', async () => {
    const factor = async (policies = {}): Promise<number> => {
      const fleet = new VirtualFleet(['a'], 1, policies)
      fleet.behave('a', { failedShare: 1, error: new FlotillaError('unavailable', 'Dead.') })
      const { calls } = await fleet.load(250, 6_000)
      return fleet.arrivals.length / calls
    }
    assert.ok((await factor()) < 0.1)
    assert.ok((await factor({ calls: { breaker: false } })) <= 1.11)
    assert.ok((await factor({ calls: { breaker: false }, retries: { ratio: 2 } })) > 2.5)
  })

  it('leaves an instance alone that hangs, though all its calls are answered by others', async () => {
    const fleet = new VirtualFleet(['a', 'b', 'c'], 1, { balance: { policy: 'round_robin' } })
    await fleet.load(250, 6_000)
    fleet.behave('a', { isHanging: true })
    const startMs = fleet.clock.monotonicMs()
    // Fewer calls than a time-out would take to tell.
    await fleet.load(50, 900)
    assert.ok(fleet.decisions('instance_ejected') >= 1)
    assert.ok(fleet.arrivalsAt('a', startMs) <= 10)
  })

  it('does not make a probe again', async () => {
    const fleet = new VirtualFleet(['a', 'b'], 1, { retries: { ratio: 2 } })
    for (const name of ['a', 'b']) {
      fleet.behave(name, { failedShare: 1, error: new FlotillaError('unavailable', 'Dead.') })
    }
    await fleet.load(250, 500)
    const sent = fleet.arrivals.length
    await fleet.clock.advance(1_200)
    const probe = fleet.call()
    await fleet.clock.advance(500)
    assert.equal((await probe).error?.code, 'unavailable')
    assert.equal(fleet.arrivals.length, sent + 1)
  })

  it('closes its breaker soon after a callee is well again', async () => {
    const fleet = new VirtualFleet(['a', 'b'], 1)
    for (const name of ['a', 'b']) fleet.behave(name, { failedShare: 1 })
    await fleet.load(250, 1_000)
    assert.ok(fleet.decisions('breaker_opened') >= 1)
    for (const name of ['a', 'b']) fleet.behave(name, {})
    await fleet.load(250, 2_500)
    assert.equal((await fleet.load(250, 1_000)).failures, 0)
  })
})
