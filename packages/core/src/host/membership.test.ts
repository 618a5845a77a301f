import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Calls } from '../contract/calls.ts'
import type { Cancellation } from '../kernel/cancellation.ts'
import { FlotillaError } from '../kernel/error.ts'
import { seededRandom } from '../kernel/random.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import { HEARTBEAT_MS, LEASE_MS, type registryContract } from '../registry/contract.ts'
import type { Instance } from '../registry/directory.ts'
import { Membership } from './membership.ts'

const instance: Instance = { instance: 'i1', service: 'cart', version: '1', frames: 'unix:/x', http: '' }

/** A member on a clock that stands still, and a registry that remembers what it heard. */
function setUp() {
  const clock = new VirtualClock()
  const state = {
    clock,
    heard: [] as string[],
    lines: [] as string[],
    isAway: false,
    /** It takes what is sent, and does not answer. */
    isSilent: false,
    /** How long an announcement is on its way. */
    delayMs: 0,
  }
  const registry = (cancellation: Cancellation) => ({
    async register() {
      if (state.isSilent) {
        await clock.sleep(2_000, cancellation.signal)
        throw new FlotillaError('unavailable', 'Away.')
      }
      if (state.delayMs > 0) await clock.sleep(state.delayMs)
      if (state.isAway) throw new FlotillaError('unavailable', 'Away.')
      state.heard.push('register')
      return {}
    },
    async deregister(_: unknown, { timeoutMs = 2_000 } = {}) {
      if (state.isSilent) {
        await clock.sleep(timeoutMs)
        throw new FlotillaError('unavailable', 'Away.')
      }
      state.heard.push('deregister')
      return {}
    },
  })
  const keep = (line: string): void => void state.lines.push(line)
  const log = { debug: keep, info: keep, warn: keep, error: keep, with: () => log }
  const member = new Membership({
    clock,
    random: seededRandom(1),
    log,
    instances: [instance],
    // The two operations that a member uses.
    registry: (_, cancellation) => registry(cancellation) as unknown as Calls<typeof registryContract>,
  })
  return Object.assign(state, { member })
}

describe('Membership', () => {
  it('announces itself well within every lease, until it leaves', async () => {
    const { clock, member, heard } = setUp()
    await member.join()
    assert.deepEqual(heard, ['register'])
    await clock.advance(LEASE_MS)
    assert.ok(heard.length >= 3)
    await member.leave()
    const { length } = heard
    await clock.advance(10 * HEARTBEAT_MS)
    assert.deepEqual(heard.slice(length - 1), ['deregister'])
    assert.equal(clock.pending, 0)
  })

  it('goes on while the registry is away, says so once, and registers anew when it is back', async () => {
    const state = setUp()
    state.isAway = true
    await state.member.join()
    await state.clock.advance(4 * HEARTBEAT_MS)
    assert.equal(state.lines.length, 1)
    state.isAway = false
    await state.clock.advance(2 * HEARTBEAT_MS)
    assert.ok(state.heard.includes('register'))
    assert.deepEqual(state.lines.slice(1), ['the registry knows us again'])
    await state.member.leave()
  })

  it('says farewell after an announcement that was on its way', async () => {
    const state = setUp()
    await state.member.join()
    state.delayMs = 1_500
    await state.clock.advance(1.1 * HEARTBEAT_MS)
    const leaving = state.member.leave()
    await state.clock.advance(2_000)
    await leaving
    assert.deepEqual(state.heard, ['register', 'register', 'deregister'])
    await state.clock.advance(10 * HEARTBEAT_MS)
    assert.equal(state.heard.length, 3)
  })

  it('leaves within 300 ms a registry that does not answer, though an announcement waits for it', async () => {
    const state = setUp()
    await state.member.join()
    state.isSilent = true
    await state.clock.advance(1.1 * HEARTBEAT_MS)
    let hasLeft = false
    const leaving = state.member.leave().then(() => {
      hasLeft = true
    })
    await state.clock.advance(300)
    assert.equal(hasLeft, true)
    await leaving
    assert.deepEqual(state.lines, ['the registry did not take our deregister'])
    await state.clock.advance(10 * HEARTBEAT_MS)
    assert.deepEqual(state.heard, ['register'])
  })
})
