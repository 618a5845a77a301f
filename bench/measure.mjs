/**
 * Calls again and again, and what came of it.
 *
 * @module
 */
import { pause } from './children.mjs'
import { quantileOf } from './figures.mjs'

/** Calls with so many at once, for so long; what came of it. A call that fails is no call, and is told. */
export async function measure(call, inFlight, durationMs) {
  const latencies = new Float64Array(1_000_000)
  let [calls, failed] = [0, 0]
  const startMs = performance.now()
  const endMs = startMs + durationMs
  const before = process.cpuUsage()
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (let nowMs = performance.now(); nowMs < endMs; ) {
        const isAnswered = await call().then(
          () => true,
          () => false,
        )
        const doneMs = performance.now()
        if (isAnswered) latencies[calls++ % latencies.length] = doneMs - nowMs
        else failed++
        nowMs = doneMs
      }
    }),
  )
  const tookMs = performance.now() - startMs
  const { user, system } = process.cpuUsage(before)
  const sorted = latencies.subarray(0, Math.min(calls, latencies.length)).sort()
  return {
    calls,
    failed,
    perSec: (calls / tookMs) * 1000,
    cpuUs: (user + system) / calls,
    p50Us: quantileOf(sorted, 0.5) * 1000,
    p99Us: quantileOf(sorted, 0.99) * 1000,
  }
}

/** So many calls a second, each when the one before has ended; what came of it. */
export async function measurePaced(call, perSec, durationMs) {
  const endMs = performance.now() + durationMs
  const latencies = []
  let failed = 0
  while (performance.now() < endMs) {
    await pause(1_000 / perSec)
    const startMs = performance.now()
    await call().then(
      () => latencies.push(performance.now() - startMs),
      () => failed++,
    )
  }
  latencies.sort((a, b) => a - b)
  return {
    calls: latencies.length,
    failed,
    p50Us: quantileOf(latencies, 0.5) * 1_000,
    p99Us: quantileOf(latencies, 0.99) * 1_000,
  }
}

/** One call after the other, without a look at the clock in between: for calls that take less than a microsecond. */
export async function measureTight(call, durationMs) {
  const BATCH = 2_000
  let calls = 0
  const before = process.cpuUsage()
  const startMs = performance.now()
  while (performance.now() - startMs < durationMs) {
    for (let index = 0; index < BATCH; index++) await call()
    calls += BATCH
  }
  const tookMs = performance.now() - startMs
  const { user, system } = process.cpuUsage(before)
  return { calls, perSec: (calls / tookMs) * 1000, cpuUs: (user + system) / calls }
}
