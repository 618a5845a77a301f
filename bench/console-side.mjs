/**
 * The processes beside `console.mjs`: one that makes telemetry as a shop of twelve services would, one that is a client of the shop, and one
 * that lays in what was there before.
 *
 * @module
 */
import { appendFileSync, copyFileSync, mkdirSync, statSync, truncateSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { openTelemetryStore } from '@flotilla/control/telemetry-store'
import { systemClock } from '@flotilla/core/clock'
import { pause } from './children.mjs'
import { quantileOf } from './figures.mjs'
import { secondOf } from './telemetry-rows.mjs'

const KINDS = ['internal', 'server', 'client', 'producer', 'consumer']
/** As the supervisor rotates files of processes. */
const LOG_BYTES_MAX = 16e6
const agent = new Agent({ keepAlive: true, maxSockets: 32 })
let isStopped = false

process.on('message', async ({ role, ...options }) => {
  if (role === 'stop') isStopped = true
  else process.send(await { fill, load, shop }[role](options))
})
process.on('disconnect', () => process.exit(0))

/** Has a store keep what would have come in the seconds before now. */
async function fill({ folder, seconds }) {
  mkdirSync(folder, { recursive: true })
  const store = await openTelemetryStore({ folder, clock: systemClock, log: console })
  const nowMs = Date.now()
  for (let second = seconds; second > 0; second--) {
    const { spans, lines } = secondOf(nowMs - second * 1_000)
    store.appendSpans(spans)
    store.appendLogs(lines)
    await store.flush()
  }
  await store.close()
  return {}
}

/** Until it is stopped: each service sends its spans of a second by OTLP, and writes its lines into its file, one after the other. */
async function load({ origin, key, logs }) {
  const sent = { spans: 0, lines: 0, refused: 0 }
  const begunMs = performance.now()
  const posts = new Set()
  for (let second = 0; !isStopped; second++) {
    const { spans, lines } = secondOf(Date.now())
    const services = [...new Set(spans.map(({ service }) => service))]
    for (const [index, service] of services.entries()) {
      const its = spans.filter((span) => span.service === service)
      const post = postSpans(origin, key, service, its).then((isTaken) => {
        sent.spans += its.length
        if (!isTaken) sent.refused += its.length
        posts.delete(post)
      })
      posts.add(post)
      const written = lines.filter((line) => line.service === service)
      write(join(logs, `load-${service}.log`), written.map(jsonLine).join(''))
      sent.lines += written.length
      await pause(begunMs + (second + (index + 1) / services.length) * 1_000 - performance.now())
    }
  }
  await Promise.all(posts)
  return sent
}

async function postSpans(origin, key, service, spans) {
  const text = (name, value) => ({ key: name, value: { stringValue: String(value) } })
  const resource = {
    attributes: [text('service.name', service), text('service.instance.id', `${service}-1`)],
  }
  const body = JSON.stringify({
    resourceSpans: [
      {
        resource,
        scopeSpans: [{ scope: { name: 'bench' }, spans: spans.map((span) => otlpSpan(span, text)) }],
      },
    ],
  })
  const headers = { 'content-type': 'application/json', 'x-otlp-api-key': key }
  const { status, text: answer } = await ask(`${origin}/v1/traces`, { method: 'POST', headers, body })
  return status === 200 && !answer.includes('partialSuccess')
}

function otlpSpan({ startUs, durationUs, parentId, kind, status, attributes, traceId, spanId, name }, text) {
  return {
    ...{ traceId, spanId, parentSpanId: parentId, name, kind: KINDS.indexOf(kind) + 1 },
    startTimeUnixNano: `${startUs}000`,
    endTimeUnixNano: `${startUs + durationUs}000`,
    attributes: Object.entries(attributes).map(([key, value]) => text(key, value)),
    status: status === 'ok' ? {} : { code: 2, message: status },
  }
}

function jsonLine({ timeUs, level, service, instance, message, traceId, spanId, fields }) {
  const timestamp = new Date(timeUs / 1_000).toISOString()
  const ids = { trace_id: traceId, span_id: spanId }
  return `${JSON.stringify({ level, timestamp, instance, version: '1', service, ...ids, ...fields, message })}\n`
}

function write(path, text) {
  appendFileSync(path, text)
  if (statSync(path).size <= LOG_BYTES_MAX) return
  copyFileSync(path, `${path}.1`)
  truncateSync(path)
}

/** So many requests a second for so long, whether the ones before are answered or not; how they went. */
async function shop({ url, token, perSec, seconds }) {
  const latencies = []
  let failed = 0
  const headers = { authorization: `Bearer ${token}` }
  const begunMs = performance.now()
  const all = []
  for (let index = 0; index < perSec * seconds; index++) {
    await pause(Math.max(0, begunMs + (index * 1_000) / perSec - performance.now()))
    const startMs = performance.now()
    all.push(
      ask(url, { headers }).then(({ status }) => {
        if (status === 200) latencies.push(performance.now() - startMs)
        else failed++
      }),
    )
  }
  await Promise.all(all)
  latencies.sort((a, b) => a - b)
  return {
    answered: latencies.length,
    failed,
    p50Ms: quantileOf(latencies, 0.5),
    p99Ms: quantileOf(latencies, 0.99),
  }
}

function ask(url, { method = 'GET', headers, body }) {
  return new Promise((resolve) => {
    const outgoing = request(url, { agent, method, headers }, (incoming) => {
      let text = ''
      incoming.setEncoding('utf8').on('data', (more) => {
        text += more
      })
      incoming.on('end', () => resolve({ status: incoming.statusCode, text }))
    })
    outgoing.on('error', () => resolve({ status: 0, text: '' }))
    outgoing.end(body)
  })
}
