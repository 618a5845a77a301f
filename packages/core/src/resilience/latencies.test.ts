import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Latencies } from './latencies.ts'

/** Observes latencies one after the other, so far apart. */
function observe(latencies: Latencies, all: readonly number[], fromMs: number, apartMs: number): number {
  for (const [index, ms] of all.entries()) latencies.observe(ms, fromMs + index * apartMs)
  return fromMs + all.length * apartMs
}

describe('Latencies', () => {
  it('Latencies knows nothing until a hundred calls were seen, and what they took within an eighth', () => {
    const anyMany = fc.array(fc.double({ min: 0.1, max: 5_000, noNaN: true }), {
      minLength: 120,
      maxLength: 400,
      size: 'max',
    })
    fc.assert(
      fc.property(anyMany, fc.nat(100_000), (all, startMs) => {
        const latencies = new Latencies()
        const endMs = observe(latencies, all, startMs, 20_000 / all.length)
        const known = latencies.at(endMs)
        assert.ok(known)
        // The period that ended holds a hundred at least, all of them between the least and the most.
        const sorted = all.toSorted((a, b) => a - b)
        const [least = 0] = sorted
        const most = sorted.at(-1) ?? 0
        for (const ms of [known.p50Ms, known.p95Ms, known.p99Ms]) {
          assert.ok(ms >= least && ms <= most * 1.13)
        }
        assert.ok(known.p50Ms <= known.p95Ms && known.p95Ms <= known.p99Ms)
        assert.equal(known.p999Ms, Number.POSITIVE_INFINITY)
      }),
      { numRuns: 30 },
    )
    const few = new Latencies()
    const endMs = observe(few, Array(99).fill(1), 0, 100)
    few.observe(1, endMs + 20_000)
    observe(few, Array(50).fill(1), endMs + 70_000, 100)
    assert.equal(few.at(endMs + 80_000), undefined)
  })

  it('Latencies learns within a second where there are many calls, the last thousandth too', () => {
    const latencies = new Latencies()
    const many = Array.from({ length: 2_500 }, (_, index) =>
      index % 500 === 499 ? 400 : index % 10 === 9 ? 40 : 4,
    )
    const endMs = observe(latencies, many, 0, 1)
    const known = latencies.at(endMs)
    assert.ok(known)
    const isAbout = (ms: number, meantMs: number): boolean => ms >= meantMs && ms <= meantMs * 1.13
    assert.ok(isAbout(known.p50Ms, 4) && isAbout(known.p95Ms, 40) && isAbout(known.p99Ms, 40))
    assert.ok(isAbout(known.p999Ms, 400))
  })

  it('Latencies follows what changes, and forgets what is a minute old', () => {
    const latencies = new Latencies()
    let nowMs = observe(latencies, Array(3_000).fill(1), 5_000, 1)
    assert.ok((latencies.at(nowMs)?.p50Ms ?? 0) < 2)
    nowMs = observe(latencies, Array(4_000).fill(100), nowMs, 1)
    assert.ok((latencies.at(nowMs)?.p50Ms ?? 0) >= 100)
    assert.equal(latencies.at(nowMs + 61_000), undefined)
  })
})
