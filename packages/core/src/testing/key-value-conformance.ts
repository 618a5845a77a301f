/**
 * What every holder of shared values must do, as tests: the promises of `key-value/key-value.ts`.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../kernel/clock.ts'
import { isFlotillaError } from '../kernel/error.ts'
import { KEY_VALUE_MS_MAX, type KeyValue, type Tokens } from '../key-value/key-value.ts'

/** One holder, which is empty. */
export interface KeyValueFixture {
  /** A way to it; another one at each call, where there can be several. */
  readonly open: () => KeyValue
  /** Takes the holder away. */
  readonly takeAway: () => Promise<void>
}

/** Makes one for a test. */
type Open<F> = (t: { after(cleanUp: () => Promise<void>): void }) => Promise<F>

/** One token a day: none comes back while a test runs. */
const perDay = (burst: number): Tokens['policy'] => ({ perMinute: 1 / 1_440, burst })
const tokens = (key: string, count: number, policy = perDay(100)): Tokens => ({ key, count, policy })

/** Registers the tests for what `open` makes. */
export function testKeyValue(name: string, open: Open<Pick<KeyValueFixture, 'open'>>): void {
  describe(`${name} as a holder of shared values`, () => {
    it('gives no token twice, however many take at once', async (t) => {
      const fixture = await open(t)
      const sharers = [fixture.open(), fixture.open(), fixture.open()]
      const wishes = Array.from({ length: 60 }, (_, index) => 1 + (index % 5))
      const grants = await Promise.all(
        wishes.map((count, index) => (sharers[index % 3] as KeyValue).take(tokens('k', count))),
      )
      assert.equal(
        grants.reduce((sum, { taken }) => sum + taken, 0),
        100,
      )
      for (const [index, { taken, retryAfterMs }] of grants.entries()) {
        assert.equal(retryAfterMs > 0, taken < (wishes[index] as number))
      }
      assert.equal((await fixture.open().take(tokens('k', 1))).taken, 0)
    })

    it('keeps buckets apart, and takes any key', async (t) => {
      const its = (await open(t)).open()
      for (const key of ['a', 'a ', 'A', 'ü:*?[a]{b}', 'x'.repeat(512), '__proto__']) {
        assert.equal((await its.take(tokens(key, 200))).taken, 100, key)
      }
    })

    it('takes back what was not used, up to what fits', async (t) => {
      const its = (await open(t)).open()
      await its.take(tokens('a', 30))
      await its.take(tokens('b', 90))
      await its.giveBack([tokens('a', 40), tokens('b', 5), tokens('never taken', 5)])
      assert.equal((await its.take(tokens('a', 200))).taken, 100)
      assert.equal((await its.take(tokens('b', 200))).taken, 15)
      assert.equal((await its.take(tokens('never taken', 200))).taken, 100)
    })

    it('says truly when the next token is there', async (t) => {
      const its = (await open(t)).open()
      const policy = { perMinute: 600, burst: 7 }
      const fromMs = systemClock.monotonicMs()
      assert.deepEqual(await its.take(tokens('k', 7, policy)), { taken: 7, retryAfterMs: 0 })
      for (let came = 0; came < 3; ) {
        const { taken, retryAfterMs } = await its.take(tokens('k', 1, policy))
        came += taken
        if (taken === 0) assert.ok(retryAfterMs > 0 && retryAfterMs <= 100)
        // Never early: a token each 100 ms, and clocks that tick in milliseconds.
        assert.ok(came * 100 <= systemClock.monotonicMs() - fromMs + 5)
        await systemClock.sleep(retryAfterMs)
      }
    })
  })
}

/** Registers the tests for what `open` makes and can take away. */
export function testAbsentKeyValue(name: string, open: Open<KeyValueFixture>): void {
  describe(`${name} that is away`, () => {
    it('says soon that it cannot be asked', async (t) => {
      const fixture = await open(t)
      const its = fixture.open()
      await its.take(tokens('k', 1))
      await fixture.takeAway()
      for (const call of [() => its.take(tokens('k', 1)), () => its.giveBack([tokens('k', 1)])]) {
        const fromMs = systemClock.monotonicMs()
        const isAway = (error: unknown): boolean =>
          isFlotillaError(error) && ['unavailable', 'deadline_exceeded'].includes(error.code)
        await assert.rejects(call, isAway)
        assert.ok(systemClock.monotonicMs() - fromMs < KEY_VALUE_MS_MAX + 1_000)
      }
    })
  })
}
