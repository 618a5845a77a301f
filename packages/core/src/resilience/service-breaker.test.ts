import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../kernel/random.ts'
import { type Outcome, REFUSED, ServiceBreaker } from './service-breaker.ts'

const OPEN_MS_MAX = 6_000

const anyOutcome = fc.constantFrom<Outcome>('success', 'failure', 'nothing')

/** Ends one call at once; false when it was refused. */
function call(breaker: ServiceBreaker, nowMs: number, outcome: Outcome): boolean {
  const permit = breaker.tryBegin(nowMs)
  if (permit === REFUSED) return false
  breaker.end(permit, outcome, nowMs)
  return true
}

function opened(nowMs: number, seed = 1): ServiceBreaker {
  const breaker = new ServiceBreaker(seededRandom(seed))
  for (let calls = 0; calls < 20; calls++) call(breaker, nowMs, 'failure')
  assert.equal(breaker.kind, 'open')
  return breaker
}

/** When an open breaker lets the next call try. */
function openUntilMs(breaker: ServiceBreaker, fromMs: number): number {
  const untilMs = fromMs + breaker.waitMs(fromMs)
  assert.equal(breaker.tryBegin(untilMs - 0.001), REFUSED)
  return untilMs
}

describe('ServiceBreaker', () => {
  it('ServiceBreaker opens with the failure that makes half of twenty or more calls of ten seconds, and never otherwise', () => {
    const anyStep = fc.record({ passMs: fc.oneof(fc.nat(50), fc.nat(3_000)), outcome: anyOutcome })
    fc.assert(
      fc.property(
        fc.nat(100_000),
        fc.array(anyStep, { minLength: 30, maxLength: 120, size: 'max' }),
        (startMs, steps) => {
          const breaker = new ServiceBreaker(seededRandom(1))
          let calls: { slice: number; hasFailed: boolean }[] = []
          let nowMs = startMs
          for (const { passMs, outcome } of steps) {
            nowMs += passMs
            call(breaker, nowMs, outcome)
            const slice = Math.floor(nowMs / 1_000)
            calls = calls.filter((one) => one.slice > slice - 10)
            if (outcome !== 'nothing') calls.push({ slice, hasFailed: outcome === 'failure' })
            const failed = calls.filter(({ hasFailed }) => hasFailed).length
            const isTooMuch = outcome === 'failure' && calls.length >= 20 && failed * 2 >= calls.length
            assert.equal(breaker.kind, isTooMuch ? 'open' : 'closed')
            if (isTooMuch) return
          }
        },
      ),
    )
  })

  it('ServiceBreaker stays open for a second at first, twice as long after each failed probe, five at most, a fifth more or less', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 7 }), (seed, openings) => {
        const breaker = opened(0, seed)
        let nowMs = 0
        for (let opening = 0; opening < openings; opening++) {
          const meanMs = Math.min(5_000, 1_000 * 2 ** opening)
          const untilMs = openUntilMs(breaker, nowMs)
          assert.ok(untilMs - nowMs >= meanMs * 0.8 && untilMs - nowMs <= meanMs * 1.2)
          nowMs = untilMs
          assert.ok(call(breaker, nowMs, 'failure'))
          assert.equal(breaker.kind, 'open')
        }
      }),
    )
    const ends = Array.from({ length: 30 }, (_, seed) => opened(0, seed).waitMs(0))
    assert.ok(new Set(ends).size > 20)
    assert.ok(Math.max(...ends) - Math.min(...ends) > 200)
  })

  it('ServiceBreaker lets through one probe, then two, then four at once, and closes with the fifth success in a row', () => {
    const breaker = opened(0)
    const nowMs = openUntilMs(breaker, 0)
    const permits = (): number[] => {
      const all: number[] = []
      for (let permit = breaker.tryBegin(nowMs); permit !== REFUSED; permit = breaker.tryBegin(nowMs))
        all.push(permit)
      return all
    }
    for (const [round, count] of [1, 2, 4].entries()) {
      const probes = permits()
      assert.equal(probes.length, count)
      for (const [index, permit] of probes.entries()) {
        // One that tells nothing makes room for another.
        breaker.end(permit, 'nothing', nowMs)
        const again = breaker.tryBegin(nowMs)
        assert.notEqual(again, REFUSED)
        breaker.end(again, 'success', nowMs)
        assert.equal(breaker.kind, round === 2 && index >= 1 ? 'closed' : 'probing')
        if (breaker.kind === 'closed') break
      }
    }
    for (let calls = 0; calls < 19; calls++) call(breaker, nowMs, 'failure')
    assert.equal(breaker.kind, 'closed')
  })

  it('ServiceBreaker opens again with one failed probe, however many succeeded before it', () => {
    for (let successes = 0; successes < 5; successes++) {
      const breaker = opened(0)
      const nowMs = openUntilMs(breaker, 0)
      for (let probes = 0; probes < successes; probes++) call(breaker, nowMs, 'success')
      call(breaker, nowMs, 'failure')
      assert.equal(breaker.kind, 'open')
    }
  })

  it('ServiceBreaker believes nothing of calls that began before its state changed', () => {
    fc.assert(
      fc.property(fc.array(anyOutcome, { maxLength: 60, size: 'max' }), (late) => {
        const breaker = new ServiceBreaker(seededRandom(1))
        const old = late.map(() => breaker.tryBegin(0))
        for (let calls = 0; calls < 20; calls++) call(breaker, 0, 'failure')
        for (const [index, outcome] of late.entries()) {
          breaker.end(old[index] as number, outcome, 0)
          assert.equal(breaker.kind, 'open')
        }
        const nowMs = openUntilMs(breaker, 0)
        const probe = breaker.tryBegin(nowMs)
        for (const [index, outcome] of late.entries()) {
          breaker.end(old[index] as number, outcome, nowMs)
          assert.equal(breaker.kind, 'probing')
          assert.equal(breaker.tryBegin(nowMs), REFUSED)
        }
        breaker.end(probe, 'success', nowMs)
        assert.equal(breaker.kind, 'probing')
      }),
    )
  })

  it('ServiceBreaker makes an outage longer by half as much again and a second at the most, and never by more than six', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 100, max: 40_000 }), (seed, outageMs) => {
        const breaker = new ServiceBreaker(seededRandom(seed))
        let refusedMs = 0
        let sent = 0
        for (let nowMs = 0; nowMs < outageMs + 10_000; nowMs += 5) {
          const isAway = nowMs < outageMs
          const wasSent = call(breaker, nowMs, isAway ? 'failure' : 'success')
          if (wasSent && isAway) sent++
          if (!wasSent) refusedMs = nowMs
        }
        assert.equal(breaker.kind, 'closed')
        assert.ok(refusedMs - outageMs <= Math.min(OPEN_MS_MAX, 1_200 + outageMs * 1.5))
        // And while it is away next to nothing is sent.
        assert.ok(sent <= 24 + outageMs / 4_000, `${sent} sent`)
      }),
    )
  })
})
