/**
 * One side of a comparison, in a process of its own: answers, or calls and measures.
 *
 * @module
 */
import { quantileOf } from './figures.mjs'

const [, , role, peer] = process.argv
const { serve, connect, local } = await import(`./peers/${peer}.mjs`)

/** Calls with so many at once, for so long; what came of it. A call that fails is no call, and is told. */
async function measure(call, inFlight, durationMs) {
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

/** One call after the other, without a look at the clock in between: for calls that take less than a microsecond. */
async function measureTight(call, durationMs) {
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

if (role === 'server') {
  const address = await serve()
  let before = process.cpuUsage()
  process.on('message', () => {
    const { user, system } = process.cpuUsage(before)
    before = process.cpuUsage()
    process.send({ cpuUs: user + system })
  })
  process.send({ address })
} else if (role === 'client') {
  let call
  process.on('message', async ({ address, inFlight, durationMs }) => {
    call ??= await connect(address)
    process.send(await measure(call, inFlight, durationMs))
  })
} else {
  process.once('message', async ({ durationMs }) => {
    await local(async (call) => {
      await measureTight(call, Math.min(1_000, durationMs))
      process.send(await measureTight(call, durationMs))
    })
    process.exit(0)
  })
}
process.on('disconnect', () => process.exit(0))
