/**
 * The process of `telemetry.mjs`: makes rows in time, has the store keep them unless it is the control, and asks.
 *
 * @module
 */

import { openTelemetryStore } from '@flotilla/control/telemetry-store'
import { systemClock } from '@flotilla/core/clock'
import { pause } from './children.mjs'
import { samplesAt, secondOf } from './telemetry-rows.mjs'

const { seconds, filledSeconds, folder, isControl, isAsked } = JSON.parse(process.argv[2])
const SCRAPE_S = 5
/** Rows come in such pieces, as they would from many processes. */
const PIECES = 10
const FOUND = 20

const store = isControl ? undefined : await openTelemetryStore({ folder, clock: systemClock, log: console })
const startMs = Date.now()
const past = await fill()
const result = await keep()
await store?.close()
process.send(result)
if (process.connected) process.disconnect()

/** What was there before, as fast as it goes; gives an order of it and its trace. */
async function fill() {
  let known = secondOf(startMs).orders[0]
  if (store === undefined) return known
  for (let second = filledSeconds; second > 0; second--) {
    const atMs = startMs - second * 1_000
    const { spans, lines, orders } = secondOf(atMs)
    if (second === Math.floor(filledSeconds * 0.8)) known = orders[0]
    store.appendSpans(spans)
    store.appendLogs(lines)
    if (second % SCRAPE_S === 0) store.appendSamples(samplesAt(atMs))
    await store.flush()
  }
  return known
}

async function keep() {
  const begun = { ms: performance.now(), cpu: process.cpuUsage() }
  const endMs = begun.ms + seconds * 1_000
  const answersMs = {}
  const asking = isAsked ? askUntil(endMs, answersMs) : undefined
  let [rssBytesMax, stallMs] = [0, 0]
  for (let piece = 0; performance.now() < endMs; piece++) {
    const atMs = Date.now()
    const { spans, lines } = secondOf(atMs, 1_000 / PIECES, 2_000 / PIECES)
    store?.appendSpans(spans)
    store?.appendLogs(lines)
    if (piece % (SCRAPE_S * PIECES) === 0) {
      const samples = samplesAt(atMs)
      store?.appendSamples(samples)
    }
    rssBytesMax = Math.max(rssBytesMax, process.memoryUsage().rss)
    const dueMs = begun.ms + ((piece + 1) * 1_000) / PIECES
    await pause(Math.max(0, dueMs - performance.now()))
    stallMs = Math.max(stallMs, performance.now() - dueMs)
  }
  await asking
  await store?.flush()
  const { user, system } = process.cpuUsage(begun.cpu)
  const stats = await store?.stats()
  const rows = Object.fromEntries(Object.entries(stats?.kinds ?? {}).map(([kind, its]) => [kind, its.rows]))
  const dropped = Object.values(stats?.kinds ?? {}).reduce((sum, its) => sum + its.dropped, 0)
  const spent = { cpuMs: (user + system) / 1_000, seconds: (performance.now() - begun.ms) / 1_000 }
  return { ...spent, answersMs, rssBytesMax, stallMs, rows, dropped, fileBytes: stats?.fileBytes ?? 0 }
}

/** Two questions a second at most, one kind after the other: somebody at a console. */
async function askUntil(endMs, answersMs) {
  const questions = Object.entries(questionsOf())
  for (let index = 0; performance.now() < endMs; index++) {
    const [name, ask] = questions[index % questions.length]
    const beginMs = performance.now()
    const answer = await ask({ fromMs: startMs - filledSeconds * 1_000, toMs: Date.now() })
    const ms = performance.now() - beginMs
    answersMs[name] ??= []
    const reachedMs = answer.searchedFromMs ?? answer.countedFromMs ?? 0
    const found = answer.lines?.length ?? answer.traces?.length ?? 0
    // One that has found as many as were asked for is whole, too.
    const isComplete = found >= FOUND || reachedMs <= startMs - filledSeconds * 1_000
    answersMs[name].push({ ms, isComplete })
    await pause(Math.max(100, 500 - ms))
  }
}

function questionsOf() {
  const latency = 'flotilla_operation_duration_seconds'
  return {
    'failed traces': (range) => store.findTraces({ ...range, isFailed: true, limit: FOUND }),
    'slow traces of an operation': (range) =>
      store.findTraces({ ...range, service: 'orders', durationMsMin: 50, limit: FOUND }),
    'traces with an attribute': (range) =>
      store.findTraces({ ...range, attributes: { 'url.path': `/orders/${past.id}` } }),
    'a trace': () => store.trace(past.traceId),
    'newest lines': (range) => store.searchLogs({ ...range, query: '', limit: FOUND }),
    'lines with an order id': (range) => store.searchLogs({ ...range, query: past.id }),
    'lines by field': (range) => store.searchLogs({ ...range, query: `orderId=${past.id}` }),
    'lines of a service by level': (range) =>
      store.searchLogs({ ...range, query: 'service=orders level>=error', limit: FOUND }),
    'lines with a frequent word': (range) => store.searchLogs({ ...range, query: 'placed', limit: FOUND }),
    'lines over time': (range) => store.logHistogram({ ...range, query: '', stepMs: 10_000 }),
    'lines with a word over time': (range) =>
      store.logHistogram({ ...range, query: 'placed', stepMs: 10_000 }),
    'rate by service': (range) =>
      store.series({ ...range, name: 'things_0_total', as: 'rate', by: ['service'], stepMs: 10_000 }),
    'p99 by service': (range) =>
      store.series({
        ...range,
        name: latency,
        as: 'quantile',
        quantile: 0.99,
        by: ['service'],
        stepMs: 10_000,
      }),
    'examples of latencies': (range) =>
      store.exemplars({ ...range, service: 'orders', stepMs: 10_000, boundsMs: [100, 500] }),
    'how the store is': () => store.stats(),
  }
}
