import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../kernel/random.ts'
import { GradientLimit } from './gradient-limit.ts'

/** What decides how many may run; a fixed number is the control. */
type Limiter = Pick<GradientLimit, 'limit' | 'sample'>

const fixedAt = (limit: number): Limiter => ({ limit, sample() {} })

/**
 * What is behind the limit. `servers`: so many work at full speed, the rest wait in line (a pool of connections). `shared`: all
 * share one processor.
 */
interface Place {
  readonly kind: 'servers' | 'shared'
  readonly servers: number
}

/** For so long, work of so long a mean comes at so many times what the place can do. */
interface Phase {
  readonly seconds: number
  readonly load: number
  readonly meanMs: number
}

interface Outcome {
  /** Work done in time, as a share of what the place can do. */
  readonly goodput: number
  readonly p99Ms: number
  readonly limit: number
}

interface Job {
  readonly fromMs: number
  readonly workMs: number
  leftMs: number
}

/** Which of the first `count` has least left to do; -1: there is none. */
function shortest(jobs: readonly Job[], count: number): number {
  let first = -1
  for (let index = 0; index < count; index++) {
    if (first < 0 || (jobs[index] as Job).leftMs < (jobs[first] as Job).leftMs) first = index
  }
  return first
}

/** Nobody waits longer. */
const IN_TIME_MS = 2_000

/** Poisson arrivals and exponential work, from a seed: M/M/c for `servers`, M/M/1-PS for `shared`. */
function simulate(limiter: Limiter, { kind, servers }: Place, phases: readonly Phase[]): readonly Outcome[] {
  const random = seededRandom(1)
  const exponential = (mean: number): number => -Math.log(1 - random.next()) * mean
  const jobs: Job[] = []
  let nowMs = 0
  let arrivesMs = 0
  // Of `servers`, the first so many in `jobs` are at work; of `shared`, all are.
  const atWork = (): number => (kind === 'shared' ? jobs.length : Math.min(jobs.length, servers))
  const speed = (): number => (kind === 'shared' && jobs.length > servers ? servers / jobs.length : 1)
  return phases.map(({ seconds, load, meanMs }) => {
    const durations: number[] = []
    const endMs = nowMs + seconds * 1_000
    while (nowMs < endMs) {
      const first = shortest(jobs, atWork())
      const endsMs = first < 0 ? Number.POSITIVE_INFINITY : nowMs + (jobs[first] as Job).leftMs / speed()
      const nextMs = Math.min(arrivesMs, endsMs)
      const doneMs = (nextMs - nowMs) * speed()
      for (let index = 0; index < atWork(); index++) (jobs[index] as Job).leftMs -= doneMs
      nowMs = nextMs
      if (arrivesMs <= endsMs) {
        const workMs = exponential(meanMs)
        if (jobs.length < limiter.limit) jobs.push({ fromMs: nowMs, workMs, leftMs: workMs })
        arrivesMs = nowMs + exponential(meanMs / servers / load)
      } else {
        const durationMs = nowMs - (jobs[first] as Job).fromMs
        limiter.sample(durationMs, jobs.length, nowMs)
        durations.push(durationMs)
        jobs.splice(first, 1)
      }
    }
    durations.sort((a, b) => a - b)
    const perSecond = durations.filter((durationMs) => durationMs <= IN_TIME_MS).length / seconds
    return {
      goodput: perSecond / ((servers * 1_000) / meanMs),
      p99Ms: durations[Math.floor(durations.length * 0.99)] ?? 0,
      limit: limiter.limit,
    }
  })
}

const pool: Place = { kind: 'servers', servers: 10 }
const processor: Place = { kind: 'shared', servers: 1 }
/** Places with what their work takes. */
const places = [
  { name: 'a pool of ten', place: pool, meanMs: 20 },
  { name: 'a pool of four', place: { kind: 'servers', servers: 4 }, meanMs: 20 },
  { name: 'a processor', place: processor, meanMs: 5 },
] as const

const quietly = (meanMs: number, seconds = 20): Phase => ({ seconds, load: 0.7, meanMs })

/** Has learned what is usual, and then been brought to `limit` by windows of work that is slow, whose rate stays. */
function loweredTo(limit: number): GradientLimit {
  const limiter = new GradientLimit(2, 256)
  // Before the time of the simulation.
  let nowMs = -100_000
  const window = (durationMs: number): void => {
    nowMs += 1_001
    for (let sample = 0; sample < 10; sample++) limiter.sample(durationMs, limiter.limit, nowMs)
  }
  for (let count = 0; count < 12; count++) window(10)
  for (let count = 0; count < 60 && limiter.limit > limit; count++) window(100)
  // Ends the window that is open.
  limiter.sample(10, 1, nowMs + 1_001)
  return limiter
}

describe('GradientLimit', () => {
  for (const { name, place, meanMs } of places) {
    const overload: Phase = { seconds: 40, load: 10, meanMs }
    const settled: Phase = { ...overload, seconds: 20 }

    it(`GradientLimit, coming from its maximum, keeps the goodput of ${name} under ten times the load, and settles above its knee`, () => {
      const [, first, second] = simulate(new GradientLimit(2, 256), place, [
        quietly(meanMs),
        overload,
        settled,
      ])
      assert.ok(first && second)
      assert.ok(first.goodput >= 0.9, `${first.goodput}`)
      assert.ok(second.goodput >= 0.95, `${second.goodput}`)
      assert.ok(second.limit >= place.servers && second.limit <= 4 * place.servers + 20, `${second.limit}`)
      // The control answers as much where everybody has a second, and lets all of them wait for it.
      const [, , control] = simulate(fixedAt(256), place, [quietly(meanMs), overload, settled])
      assert.ok(second.p99Ms <= (control?.p99Ms ?? 0) / 2.5, `${second.p99Ms} of ${control?.p99Ms}`)
    })

    it(`GradientLimit, coming from below, opens up to all that ${name} can do`, () => {
      const limiter = loweredTo(8)
      assert.ok(limiter.limit <= 8)
      const phases: Phase[] = [quietly(meanMs), { seconds: 20, load: 2, meanMs }, settled]
      const outcomes = simulate(limiter, place, phases)
      assert.ok((outcomes[2]?.goodput ?? 0) >= 0.9, JSON.stringify(outcomes))
    })

    it(`GradientLimit keeps up with ${name} that becomes five times slower and fast again, where a fixed limit does not`, () => {
      const phases: Phase[] = [
        quietly(meanMs),
        { seconds: 30, load: 3, meanMs: meanMs * 5 },
        { seconds: 30, load: 3, meanMs: meanMs * 5 },
        // The promise: within ten seconds.
        { seconds: 10, load: 0.8, meanMs },
        { seconds: 10, load: 0.8, meanMs },
        { seconds: 30, load: 3, meanMs },
      ]
      const goodputs = simulate(new GradientLimit(2, 256), place, phases).map(({ goodput }) => goodput)
      const [, , slow = 0, , recovered = 0, fast = 0] = goodputs
      assert.ok(slow >= 0.9 && recovered >= 0.95 * 0.8 && fast >= 0.9, `${goodputs}`)
      const control = simulate(fixedAt(256), place, phases).map(({ goodput }) => goodput)
      assert.ok((control[2] ?? 1) < slow * 0.7, `${control}`)
    })
  }

  it('GradientLimit lets a callee with room become ten times slower without refusing its calls', () => {
    const roomy: Place = { kind: 'servers', servers: 200 }
    const [, , slow] = simulate(new GradientLimit(2, 256), roomy, [
      { seconds: 20, load: 0.05, meanMs: 20 },
      { seconds: 20, load: 0.5, meanMs: 200 },
      { seconds: 20, load: 0.5, meanMs: 200 },
    ])
    assert.ok((slow?.goodput ?? 0) >= 0.9 * 0.5, JSON.stringify(slow))
  })

  it('GradientLimit is open again within ten seconds after a callee was slow and overloaded', () => {
    const wide: Place = { kind: 'servers', servers: 64 }
    const limiter = loweredTo(20)
    const [back] = simulate(limiter, wide, [{ seconds: 10, load: 2, meanMs: 10 }])
    assert.ok((back?.limit ?? 0) >= 32, JSON.stringify(back))
  })

  it('GradientLimit does not take long overload for what is usual', () => {
    const phases = [quietly(20), { seconds: 60, load: 5, meanMs: 20 }, { seconds: 500, load: 5, meanMs: 20 }]
    const [, , later] = simulate(new GradientLimit(2, 256), pool, phases)
    assert.ok((later?.limit ?? 256) <= 50, `${later?.limit}`)
  })

  it('GradientLimit does not take an overload for what is usual that comes in its first seconds', () => {
    const processor: Place = { kind: 'shared', servers: 1 }
    const [, , settled] = simulate(new GradientLimit(2, 256), processor, [
      { ...quietly(10), seconds: 3 },
      { seconds: 20, load: 10, meanMs: 10 },
      { seconds: 20, load: 10, meanMs: 10 },
    ])
    assert.ok((settled?.limit ?? 256) <= 40, JSON.stringify(settled))
  })

  it('GradientLimit stays where it is while less than half of it is in use', () => {
    const limiter = loweredTo(100)
    const before = limiter.limit
    for (let nowMs = 0; nowMs < 1e6; nowMs += 100) limiter.sample(1_000, before / 2 - 1, nowMs)
    assert.equal(limiter.limit, before)
  })

  it('GradientLimit stays where it is once it is frozen', () => {
    const limiter = loweredTo(100)
    const before = limiter.limit
    limiter.freeze()
    for (let nowMs = 1e6; nowMs < 2e6; nowMs += 50) limiter.sample(5_000, before, nowMs)
    assert.equal(limiter.limit, before)
  })

  it('GradientLimit never leaves its bounds, whatever it is told', () => {
    const anySample = fc.record({
      durationMs: fc.double({ min: 0, max: 1e7, noNaN: true }),
      running: fc.nat(1_000),
      passMs: fc.nat(2_000),
      count: fc.nat(30),
    })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.nat(500),
        fc.array(anySample, { maxLength: 200, size: 'max' }),
        (min, more, samples) => {
          const limiter = new GradientLimit(min, min + more)
          let nowMs = 0
          for (const { durationMs, running, passMs, count } of samples) {
            nowMs += passMs
            for (let index = 0; index < count; index++) limiter.sample(durationMs, running, nowMs)
            assert.ok(limiter.limit >= min && limiter.limit <= min + more, `${limiter.limit}`)
            assert.equal(limiter.limit, Math.floor(limiter.limit))
          }
        },
      ),
    )
  })
})
