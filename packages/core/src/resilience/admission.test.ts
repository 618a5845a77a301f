import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../kernel/random.ts'
import { Admission, fixedLimit, type Refusal, type Waiting } from './admission.ts'

const SHARES = [1, 0.9, 0.7, 0.5]

/** An admission, and callers with names: what became of each. */
function setUp(limit: number) {
  const admission = new Admission(fixedLimit(limit))
  const fates = new Map<string, 'running' | 'waiting' | Refusal>()
  const waiters = new Map<string, Waiting>()
  const call = (name: string, rank: number, nowMs = 0): string => {
    const refusal = admission.refusal(rank)
    if (refusal !== undefined) fates.set(name, refusal)
    else if (admission.tryEnter(rank)) fates.set(name, 'running')
    else {
      const waiting: Waiting = {
        start: () => fates.set(name, 'running'),
        drop: (why) => fates.set(name, why),
      }
      waiters.set(name, waiting)
      fates.set(name, 'waiting')
      assert.ok(admission.enqueue(waiting, rank, nowMs), 'what is not refused may wait')
    }
    return fates.get(name) as string
  }
  const named = (fate: string): string[] => [...fates].filter(([, its]) => its === fate).map(([name]) => name)
  return { admission, call, fates, waiters, named }
}

/** Ten servers at three times their load for a minute: the share of checkouts that ran, and what ran of what could have. */
function overloaded(rankOf: (isCheckout: boolean) => number): { checkouts: number; all: number } {
  const SERVERS = 10
  const MEAN_MS = 20
  const random = seededRandom(1)
  const exponential = (meanMs: number): number => -Math.log(1 - random.next()) * meanMs
  const admission = new Admission(fixedLimit(SERVERS))
  /** When each that runs will end. */
  const ends: number[] = []
  const ran = { checkouts: 0, all: 0 }
  let [checkouts, nowMs] = [0, 0]
  while (nowMs < 60_000) {
    nowMs += exponential(MEAN_MS / SERVERS / 3)
    for (let first = Math.min(...ends); first <= nowMs; first = Math.min(...ends)) {
      ends.splice(ends.indexOf(first), 1)
      admission.leave(first, MEAN_MS)
    }
    const isCheckout = random.next() < 4 / 30
    if (isCheckout) checkouts++
    const rank = rankOf(isCheckout)
    const start = (atMs: number): void => {
      ends.push(atMs + exponential(MEAN_MS))
      ran.all++
      if (isCheckout) ran.checkouts++
    }
    if (admission.refusal(rank) !== undefined) continue
    if (admission.tryEnter(rank)) start(nowMs)
    else admission.enqueue({ start, drop() {} }, rank, nowMs)
  }
  return { checkouts: ran.checkouts / checkouts, all: ran.all / ((60_000 / MEAN_MS) * SERVERS) }
}

const anyStep = fc.record({
  what: fc.oneof(
    { weight: 4, arbitrary: fc.constant('call' as const) },
    { weight: 3, arbitrary: fc.constant('finish' as const) },
    { weight: 1, arbitrary: fc.constant('give up' as const) },
    { weight: 1, arbitrary: fc.constant('move' as const) },
  ),
  rank: fc.nat(3),
  passMs: fc.nat(60),
  limit: fc.integer({ min: 1, max: 12 }),
})

/** An admission that is held to its laws. */
class Watched {
  readonly #limiter = { limit: 6, sample() {}, freeze() {} }
  readonly #admission = new Admission(this.#limiter)
  /** Those that wait, with their ranks. */
  readonly #ranks = new Map<Waiting, number>()
  #running = 0

  call(rank: number, nowMs: number): void {
    const waiting = [...this.#ranks.values()]
    if (this.#admission.refusal(rank) !== undefined) {
      assert.ok(!this.#hasRoom(rank), 'refused a free place')
      const isLast = waiting.every((its) => its <= rank)
      assert.ok(isLast, 'refused, and a lower class waits')
    } else if (this.#admission.tryEnter(rank)) {
      const isFirst = waiting.every((its) => its > rank)
      assert.ok(isFirst, 'came in before those that wait')
      assert.ok(this.#hasRoom(rank))
      this.#running++
    } else {
      const waiter = this.#waiter(rank)
      assert.ok(this.#admission.enqueue(waiter, rank, nowMs))
      this.#ranks.set(waiter, rank)
    }
  }

  finish(nowMs: number): void {
    if (this.#running === 0) return
    this.#running--
    this.#admission.leave(nowMs, 1)
    for (const rank of this.#ranks.values())
      assert.ok(!this.#hasRoom(rank), 'one waits although there is room')
  }

  giveUp(): void {
    const [waiter, rank] = [...this.#ranks][this.#ranks.size >> 1] ?? []
    if (waiter === undefined || rank === undefined) return
    assert.equal(this.#admission.withdraw(waiter, rank), true)
    assert.equal(this.#admission.withdraw(waiter, rank), false)
    this.#ranks.delete(waiter)
  }

  /** Limits move when work ends; with somebody waiting, that is a step of its own. */
  move(limit: number): void {
    if (this.#ranks.size === 0) this.#limiter.limit = limit
  }

  check(): void {
    assert.equal(this.#admission.running, this.#running)
    assert.equal(this.#admission.queued, this.#ranks.size)
    assert.ok(this.#ranks.size <= 6)
  }

  #hasRoom(rank: number): boolean {
    return this.#running < (SHARES[rank] as number) * this.#limiter.limit
  }

  #waiter(rank: number): Waiting {
    const waiter: Waiting = {
      start: () => {
        assert.ok(this.#hasRoom(rank))
        assert.ok(this.#ranks.delete(waiter), 'started twice, or after it had left')
        this.#running++
      },
      drop: () => {
        assert.ok(this.#ranks.delete(waiter), 'dropped twice, or after it had left')
        const isLowest = [...this.#ranks.values()].every((its) => its <= rank)
        assert.ok(isLowest, 'a lower class waits on')
      },
    }
    return waiter
  }
}

describe('Admission', () => {
  it('Admission lets a class in up to its share of the limit', () => {
    SHARES.forEach((share, rank) => {
      const { call, named } = setUp(100)
      for (let count = 0; count < 100; count++) call(`${count}`, rank)
      assert.equal(named('running').length, share * 100)
    })
  })

  it('Admission always lets something in where nothing runs', () => {
    SHARES.forEach((_, rank) => {
      assert.equal(setUp(1).call('only', rank), 'running')
    })
  })

  it('Admission queues half as many as may run, then refuses', () => {
    const { call, admission } = setUp(4)
    const fates = [1, 2, 3, 4, 5, 6, 7].map((name) => call(`${name}`, 0))
    assert.deepEqual(fates, ['running', 'running', 'running', 'running', 'waiting', 'waiting', 'full'])
    assert.equal(admission.running + admission.queued, 6)
  })

  it('Admission gives the place of who matters less to who matters more, the oldest of the lowest class first', () => {
    const { call, fates } = setUp(8)
    for (let count = 0; count < 8; count++) call(`running-${count}`, 0)
    call('oldest', 3)
    call('old', 3)
    call('newer', 2)
    call('critical', 1)
    assert.equal(call('plus', 0), fates.get('oldest') === 'displaced' ? 'waiting' : 'never')
    assert.equal(call('more', 0), 'waiting')
    assert.equal(fates.get('old'), 'displaced')
    assert.equal(call('another', 1), 'waiting')
    assert.equal(fates.get('newer'), 'displaced')
    assert.equal(call('one too many', 1), 'full')
  })

  it('Admission starts the highest class first, and within it who came first', () => {
    const { call, admission, named } = setUp(8)
    for (let count = 0; count < 8; count++) call('running', 0)
    for (const [name, rank] of [
      ['low', 3],
      ['first', 1],
      ['second', 1],
      ['plus', 0],
    ] as const)
      call(name, rank)
    const order: string[] = []
    while (admission.queued > 0) {
      admission.leave(0)
      const [started] = named('running').filter((name) => name !== 'running' && !order.includes(name))
      if (started !== undefined) order.push(started)
    }
    assert.deepEqual(order, ['plus', 'first', 'second', 'low'])
  })

  it('Admission takes the newest first, and refuses the oldest of the lowest class, where the queue stands', () => {
    const { call, admission, fates } = setUp(20)
    for (let count = 0; count < 20; count++) call(`running-${count}`, 0)
    call('low', 3, 0)
    for (let count = 0; count < 6; count++) call(`${count}`, 1, count)
    admission.leave(10)
    assert.deepEqual([fates.get('0'), fates.get('low')], ['waiting', 'waiting'], 'no room for them yet')
    call('plus-1', 0, 10)
    assert.equal(fates.get('plus-1'), 'running')
    // The queue stands since 10.
    for (const nowMs of [109, 110]) {
      admission.leave(nowMs)
      assert.equal(fates.get('low'), nowMs < 110 ? 'waiting' : 'late')
    }
    admission.leave(111)
    assert.equal(fates.get('0'), 'late')
    assert.equal(fates.get('5'), 'running', 'the newest')
    assert.equal(fates.get('1'), 'waiting')
  })

  it('Admission starts as many as a limit that has risen has room for', () => {
    const limiter = { ...fixedLimit(4), limit: 4 }
    const admission = new Admission({
      get limit() {
        return limiter.limit
      },
      sample: () => {
        limiter.limit = 5
      },
      freeze() {},
    })
    let started = 0
    const waiting = { start: () => started++, drop: () => assert.fail('dropped') }
    for (let count = 0; count < 4; count++) assert.ok(admission.tryEnter(0))
    for (let count = 0; count < 2; count++) assert.ok(admission.enqueue({ ...waiting }, 0, 0))
    admission.leave(1, 1)
    assert.equal(started, 2)
  })

  it('Admission refuses nobody of a queue that stands whom it can start', () => {
    const { call, admission, fates } = setUp(2)
    call('slow', 0)
    call('slow too', 0)
    call('patient', 0, 0)
    admission.leave(500)
    assert.equal(fates.get('patient'), 'running')
    call('last', 0, 500)
    admission.leave(1_000)
    assert.equal(fates.get('last'), 'running')
  })

  it('Admission goes back to the oldest first when nobody has waited long', () => {
    const { call, admission, fates, waiters } = setUp(4)
    for (let count = 0; count < 4; count++) call(`running-${count}`, 0)
    call('old', 0, 0)
    admission.withdraw(waiters.get('old') as Waiting, 0)
    call('a', 0, 200)
    call('b', 0, 201)
    admission.leave(202)
    assert.deepEqual([fates.get('a'), fates.get('b')], ['running', 'waiting'])
  })

  it('Admission tells its limiter how long a place was held, and how many ran', () => {
    const samples: unknown[] = []
    const limiter = { ...fixedLimit(2), sample: (...told: unknown[]) => void samples.push(told) }
    const admission = new Admission(limiter)
    admission.tryEnter(0)
    admission.tryEnter(0)
    admission.leave(10, 7)
    admission.leave(11)
    assert.deepEqual(samples, [[7, 2, 10]])
  })

  it('Admission keeps what matters most whole at three times the load, where one queue for all does not', () => {
    // Of thirty times what one server can do, four are checkouts.
    const withClasses = overloaded((isCheckout) => (isCheckout ? 0 : 1))
    assert.ok(withClasses.checkouts >= 0.994, `${withClasses.checkouts}`)
    assert.ok(withClasses.all >= 0.9, `${withClasses.all}`)
    const control = overloaded(() => 0)
    assert.ok(control.checkouts < 0.6, `${control.checkouts}`)
  })

  it('Admission loses nobody, exceeds nothing, and lets nobody wait who could run', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 120, size: 'max' }), (steps) => {
        const watched = new Watched()
        let nowMs = 0
        for (const { what, rank, passMs, limit } of steps) {
          nowMs += passMs
          if (what === 'call') watched.call(rank, nowMs)
          else if (what === 'finish') watched.finish(nowMs)
          else if (what === 'give up') watched.giveUp()
          else watched.move(limit)
          watched.check()
        }
      }),
    )
  })
})
