import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Metrics } from '@flotilla/core/metrics'
import { systemRandom } from '@flotilla/core/random'
import { Passwords } from './passwords.ts'

const never = (): AbortSignal => new AbortController().signal

/** A promise that the test settles. */
function openGate() {
  let resolve = (): void => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve: () => resolve() }
}

describe('Passwords', () => {
  it('tells the right password from others, and from none at all', async () => {
    const passwords = new Passwords(systemRandom, new Metrics())
    await passwords.withPlace(never(), async (hasher) => {
      const hash = await hasher.hash('one password')
      assert.notEqual(hash, await hasher.hash('one password'), 'salted')
      assert.equal(await hasher.matches('one password', hash), true)
      assert.equal(await hasher.matches('one passwore', hash), false)
      assert.equal(await hasher.matches('one password', undefined), false)
    })
  })

  it('lets two work at once, 64 wait, and refuses the rest', async () => {
    const passwords = new Passwords(systemRandom, new Metrics())
    const gate = openGate()
    let running = 0
    let mostRunning = 0
    const work = async (): Promise<void> => {
      mostRunning = Math.max(mostRunning, ++running)
      await gate.promise
      running--
    }
    const all = Array.from({ length: 66 }, () => passwords.withPlace(never(), work))
    await assert.rejects(passwords.withPlace(never(), work), { code: 'unavailable', retryAfterMs: 2_000 })
    assert.equal(running, 2)
    gate.resolve()
    await Promise.all(all)
    assert.equal(mostRunning, 2)
    assert.equal(await passwords.withPlace(never(), async () => 'free again'), 'free again')
  })

  it('gives the place back after a failure, and the turn of who gave up to the next', async () => {
    const passwords = new Passwords(systemRandom, new Metrics())
    const fail = (): Promise<never> => Promise.reject(new Error('broken'))
    await assert.rejects(passwords.withPlace(never(), fail), /broken/)
    await assert.rejects(passwords.withPlace(never(), fail), /broken/)
    const gate = openGate()
    const held = [0, 1].map(() => passwords.withPlace(never(), () => gate.promise))
    const impatient = new AbortController()
    const gaveUp = passwords.withPlace(impatient.signal, async () => assert.fail('it is not wanted any more'))
    const next = passwords.withPlace(never(), async () => 'next')
    impatient.abort(new Error('gave up'))
    await assert.rejects(gaveUp, /gave up/)
    await assert.rejects(passwords.withPlace(impatient.signal, fail), /gave up/)
    gate.resolve()
    assert.equal(await next, 'next')
    await Promise.all(held)
  })
})
