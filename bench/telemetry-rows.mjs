/**
 * Spans, log lines and samples such as a shop of twelve services gives, for `telemetry-side.mjs`.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'

const SERVICES =
  'gateway catalog orders payments inventory cart search auth shipping notifications coupons recommendations'.split(
    ' ',
  )
const OPERATIONS = 'list get create update place reserve release authorise capture query'.split(' ')
const MESSAGES = [
  'request served',
  'order placed',
  'stock reserved',
  'payment authorised',
  'cache miss for product',
  'event handled',
]
const SPANS_PER_TRACE = 10
const SERIES = 5_000

const hex = (bytes) => randomBytes(bytes).toString('hex')

/** What happens in the second that begins at `atMs`: spans, lines, and the orders of it with their traces. */
export function secondOf(atMs, spanCount = 1_000, lineCount = 2_000) {
  const orders = Array.from({ length: spanCount / SPANS_PER_TRACE }, () => ({
    id: `0195${hex(14)}`,
    traceId: hex(16),
    spanId: hex(8),
  }))
  const spans = Array.from({ length: spanCount }, (_, index) => spanOf(atMs, index, orders))
  const lines = Array.from({ length: lineCount }, (_, index) => lineOf(atMs, index, orders))
  return { spans, lines, orders }
}

function spanOf(atMs, index, orders) {
  const { id, traceId, spanId } = orders[Math.floor(index / SPANS_PER_TRACE)]
  const isFirst = index % SPANS_PER_TRACE === 0
  const service = SERVICES[index % SERVICES.length]
  return {
    traceId,
    spanId: isFirst ? spanId : hex(8),
    parentId: isFirst ? undefined : spanId,
    name: `${service}.${OPERATIONS[index % OPERATIONS.length]}`,
    kind: isFirst ? 'server' : 'client',
    service,
    instance: `${service}-${index % 3}`,
    startUs: atMs * 1_000 + index * 999,
    durationUs: Math.floor(Math.exp(Math.random() * 7) * 100),
    status: Math.random() < 0.01 ? 'unavailable' : 'ok',
    attributes: {
      'http.request.method': 'GET',
      'url.path': `/orders/${id}`,
      'db.query.text': 'select id, name, price from products where id = $1',
      'flotilla.attempt': 1,
    },
  }
}

function lineOf(atMs, index, orders) {
  const { id, traceId, spanId } = orders[index % orders.length]
  const service = SERVICES[index % SERVICES.length]
  return {
    timeUs: atMs * 1_000 + index * 499,
    level: index % 100 === 0 ? 'error' : index % 20 === 0 ? 'warn' : 'info',
    service,
    instance: `${service}-${index % 3}`,
    message: MESSAGES[index % MESSAGES.length],
    traceId,
    spanId,
    fields: {
      operation: `${service}.${OPERATIONS[index % OPERATIONS.length]}`,
      orderId: id,
      userId: `u${index % 3_000}`,
      status: 200,
      durationMs: Math.round(Math.random() * 1e5) / 1e3,
      path: `/orders/${id}/items`,
      requestId: hex(8),
    },
  }
}

const values = new Float64Array(SERIES)

/** All series once: half of them buckets of histograms. */
export function samplesAt(timeMs) {
  return Array.from(values, (_, index) => {
    values[index] += Math.floor(Math.random() * 50)
    const service = SERVICES[index % SERVICES.length]
    const metric = Math.floor(index / SERVICES.length)
    const labels = { service, instance: `${service}-1` }
    if (metric % 2 === 0)
      return { timeMs, name: `things_${metric}_total`, labels, type: 'counter', value: values[index] }
    const le = String((64 * 2 ** (Math.floor(metric / 2) % 21)) / 1e6)
    const operation = OPERATIONS[Math.floor(metric / 42) % 10]
    const name = 'flotilla_operation_duration_seconds_bucket'
    return { timeMs, name, labels: { ...labels, operation, le }, type: 'counter', value: values[index] }
  })
}
