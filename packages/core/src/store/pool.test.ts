import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FlotillaError, isFlotillaError } from '../kernel/error.ts'
import { seededRandom } from '../kernel/random.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import { testCall } from '../testing/test-call.ts'
import type { Connection } from './connection.ts'
import { Pool } from './pool.ts'

/** A connection as far as a pool looks at it. */
class FakeConnection {
  isBroken = false
  isClosed = false
  #onBroken = (): void => {}

  onBroken(listener: () => void): void {
    this.#onBroken = listener
  }

  break(): void {
    this.isBroken = true
    this.#onBroken()
  }

  destroy(): void {
    this.isBroken = true
  }

  async close(): Promise<void> {
    this.isClosed = true
  }
}

function setUp(sizeMax: number, waitingMax = 10) {
  const clock = new VirtualClock()
  const opened: FakeConnection[] = []
  const waitedMs: number[] = []
  const log: string[] = []
  let attempts = 0
  let failure: Error | undefined
  let isLeaving = false
  const pool = new Pool({
    clock,
    random: seededRandom(1),
    log: { info: (message) => log.push(message), warn: (message) => log.push(message) },
    sizeMax,
    waitingMax,
    open: async () => {
      attempts++
      await clock.sleep(10)
      if (failure) throw failure
      const connection = new FakeConnection()
      opened.push(connection)
      return connection as unknown as Connection
    },
    isLeaving: () => isLeaving,
    onWaited: (durationMs) => waitedMs.push(durationMs),
  })
  return {
    clock,
    opened,
    waitedMs,
    log,
    attempts: () => attempts,
    pool,
    call: (timeoutMs = 1_000) => testCall(timeoutMs, clock),
    failWith: (error: Error | undefined) => {
      failure = error
    },
    leave: () => {
      isLeaving = true
    },
  }
}

/** What became of a promise, once all that can happen now has happened. */
function outcomeOf<T>(promise: Promise<T>) {
  const outcome: { value?: T; error?: FlotillaError } = {}
  promise.then(
    (value) => {
      outcome.value = value
    },
    (error: FlotillaError) => {
      outcome.error = error
    },
  )
  return outcome
}

describe('Pool', () => {
  it('opens when needed, up to its size, and lends again what comes back', async () => {
    const { pool, clock, opened, call, waitedMs } = setUp(2)
    const takes = [call(), call(), call()].map((one) => outcomeOf(pool.take(one)))
    await clock.advance(10)
    assert.equal(opened.length, 2)
    assert.deepEqual(pool.stats(), { total: 2, idle: 0, waiting: 1 })
    assert.equal(takes[2]?.value, undefined)
    await clock.advance(5)
    pool.give(takes[0]?.value as Connection)
    await clock.advance(0)
    assert.equal(takes[2]?.value, takes[0]?.value)
    assert.deepEqual(waitedMs, [10, 10, 15])
  })

  it('serves in the order of asking, also those who ask while others wait', async () => {
    const { pool, clock, call } = setUp(1)
    const connection = pool.take(call())
    await clock.advance(10)
    const served: number[] = []
    const take = async (index: number): Promise<void> => {
      const lent = await pool.take(call())
      served.push(index)
      pool.give(lent)
    }
    const all = [0, 1, 2].map(take)
    pool.give(await connection)
    all.push(take(3))
    await Promise.all(all)
    assert.deepEqual(served, [0, 1, 2, 3])
  })

  it('refuses when too many wait, saying that nothing was executed', async () => {
    const { pool, clock, call } = setUp(1, 2)
    for (let count = 0; count < 2; count++) outcomeOf(pool.take(call()))
    const refused = outcomeOf(pool.take(call()))
    await clock.advance(0)
    assert.equal(refused.error?.code, 'unavailable')
    assert.equal(refused.error?.executed, 'no')
    assert.match(refused.error?.message ?? '', /pool is full/)
  })

  it('lets a call wait until its deadline or its cancellation, and no longer', async () => {
    const { pool, clock, call } = setUp(1)
    const lent = pool.take(call())
    await clock.advance(10)
    const late = outcomeOf(pool.take(call(50)))
    const canceled = call()
    const left = outcomeOf(pool.take(canceled))
    const patient = outcomeOf(pool.take(call()))
    const reason = new FlotillaError('canceled', 'The caller gave up.')
    canceled.cancellation.cancel(reason)
    await clock.advance(50)
    assert.equal(left.error, reason)
    assert.equal(late.error?.code, 'deadline_exceeded')
    assert.equal(late.error?.executed, 'no')
    assert.equal(pool.stats().waiting, 1)
    pool.give(await lent)
    await clock.advance(0)
    assert.ok(patient.value)
    assert.equal(clock.pending, 0)
  })

  it('does not begin for a call that is over', async () => {
    const { pool, clock, call, opened } = setUp(1)
    const over = outcomeOf(pool.take(call(0)))
    await clock.advance(20)
    assert.equal(over.error?.code, 'deadline_exceeded')
    assert.equal(opened.length, 0)
  })

  it('keeps for the next what was opened for a call that left', async () => {
    const { pool, clock, call, opened } = setUp(1)
    const left = outcomeOf(pool.take(call(5)))
    await clock.advance(10)
    assert.equal(left.error?.code, 'deadline_exceeded')
    assert.equal(pool.stats().idle, 1)
    await pool.take(call())
    assert.equal(opened.length, 1)
  })

  it('tells one waiting call of each refusal, and tries again for the next', async () => {
    const { pool, clock, call, failWith } = setUp(1)
    failWith(new FlotillaError('internal', 'wrong password'))
    const takes = [call(), call()].map((one) => outcomeOf(pool.take(one)))
    await clock.advance(10)
    assert.equal(takes[0]?.error?.message, 'wrong password')
    assert.equal(takes[1]?.error, undefined)
    failWith(undefined)
    await clock.advance(10)
    assert.ok(takes[1]?.value)
  })

  it('lets calls wait while the server is away, knocks one at a time, and serves all when it is back', async () => {
    const { pool, clock, call, failWith, attempts, opened, log } = setUp(3)
    const failure = new FlotillaError('unavailable', 'refused')
    failWith(failure)
    const impatient = outcomeOf(pool.take(call(500)))
    const patient = [call(5_000), call(5_000), call(5_000)].map((one) => outcomeOf(pool.take(one)))
    await clock.advance(10)
    const fromCount = attempts()
    for (let count = 0; count < 399; count++) {
      await clock.advance(10)
      assert.ok(pool.stats().total <= 1, 'one attempt at a time')
    }
    const knocks = attempts() - fromCount
    // 3990 ms by 50 + 10 ms at least, 250 + 10 ms at most.
    assert.ok(knocks >= 15 && knocks <= 67, `${knocks} attempts`)
    assert.equal(impatient.error?.code, 'deadline_exceeded')
    assert.equal(impatient.error?.executed, 'no')
    assert.equal(impatient.error?.cause, failure)
    assert.deepEqual(log, ['cannot connect to the database'])
    failWith(undefined)
    await clock.advance(280)
    assert.ok(patient.every(({ value }) => value !== undefined))
    assert.equal(opened.length, 3)
    assert.deepEqual(log, ['cannot connect to the database', 'connected to the database again'])
  })

  it('knocks no more when nobody waits, and at once for the next call', async () => {
    const { pool, clock, call, failWith, attempts } = setUp(2)
    failWith(new FlotillaError('unavailable', 'refused'))
    outcomeOf(pool.take(call(100)))
    await clock.advance(600)
    const count = attempts()
    assert.equal(clock.pending, 0)
    failWith(undefined)
    const next = outcomeOf(pool.take(call()))
    await clock.advance(10)
    assert.equal(attempts(), count + 1)
    assert.ok(next.value)
  })

  it('has nobody wait in an outage once the process is leaving, neither who waits already nor who comes', async () => {
    const { clock, pool, call, failWith, leave } = setUp(2)
    failWith(new FlotillaError('unavailable', 'away', { executed: 'no' }))
    const early = outcomeOf(pool.take(call(10_000)))
    await clock.advance(1_000)
    assert.deepEqual(early, {})
    leave()
    await clock.advance(300)
    assert.equal(early.error?.message, 'away')
    const late = outcomeOf(pool.take(call(10_000)))
    await clock.advance(10)
    assert.equal(late.error?.message, 'away')
    failWith(undefined)
    const back = outcomeOf(pool.take(call()))
    await clock.advance(10)
    assert.ok(back.value !== undefined)
  })

  it('close ends an outage', async () => {
    const { pool, clock, call, failWith } = setUp(1)
    failWith(new FlotillaError('unavailable', 'refused'))
    const waiting = outcomeOf(pool.take(call()))
    await clock.advance(20)
    const closed = outcomeOf(pool.close().then(() => true))
    await clock.advance(0)
    assert.equal(waiting.error?.code, 'unavailable')
    assert.equal(closed.value, true)
    assert.equal(clock.pending, 0)
  })

  it('drops what broke, idle or lent, and opens anew for those who wait', async () => {
    const { pool, clock, call, opened } = setUp(1)
    const first = pool.take(call())
    await clock.advance(10)
    pool.give(await first)
    opened[0]?.break()
    assert.deepEqual(pool.stats(), { total: 0, idle: 0, waiting: 0 })
    const second = pool.take(call())
    await clock.advance(10)
    const third = outcomeOf(pool.take(call()))
    opened[1]?.break()
    pool.give(await second)
    await clock.advance(10)
    assert.equal(third.value as unknown, opened[2])
    assert.equal(pool.stats().total, 1)
  })

  it('closes what was idle for 30 s, but for the one used last', async () => {
    const { pool, clock, call, opened } = setUp(3)
    const lent = Promise.all([call(), call(), call()].map((one) => pool.take(one)))
    await clock.advance(10)
    for (const connection of await lent) pool.give(connection)
    await clock.advance(20_000)
    const busy = await pool.take(call())
    assert.equal(busy as unknown, opened[2])
    pool.give(busy)
    await clock.advance(9_999)
    assert.equal(pool.stats().idle, 3)
    await clock.advance(1)
    assert.deepEqual(
      opened.map((connection) => connection.isClosed),
      [true, true, false],
    )
    await clock.advance(100_000)
    assert.equal(pool.stats().total, 1)
    assert.equal(clock.pending, 0)
    const both = [pool.take(call()), pool.take(call())]
    await clock.advance(10)
    for (const connection of await Promise.all(both)) pool.give(connection)
    await clock.advance(30_000)
    assert.deepEqual(pool.stats(), { total: 1, idle: 1, waiting: 0 })
  })

  it('close refuses those who wait, waits for what is lent, and breaks it off after 5 s', async () => {
    const { pool, clock, call, opened } = setUp(2)
    const lent = [call(), call()].map((one) => pool.take(one))
    await clock.advance(10)
    const waiting = outcomeOf(pool.take(call()))
    const closed = outcomeOf(pool.close().then(() => true))
    pool.give((await lent[0]) as Connection)
    await clock.advance(4_999)
    assert.equal(waiting.error?.code, 'unavailable')
    assert.equal(opened[0]?.isClosed, true)
    assert.equal(closed.value, undefined)
    const again = outcomeOf(pool.close().then(() => true))
    await clock.advance(0)
    assert.equal(again.value, undefined)
    await clock.advance(1)
    assert.equal(closed.value, true)
    assert.equal(opened[1]?.isBroken, true)
    await assert.rejects(pool.take(call()), (error) => isFlotillaError(error) && error.code === 'unavailable')
    assert.equal(clock.pending, 0)
  })
})
