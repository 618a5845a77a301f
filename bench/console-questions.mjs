/**
 * What a console asks the control API, one question after the other.
 *
 * @module
 */
import { pause } from './children.mjs'

/** So many questions a second at most: somebody at a console. */
const PER_SECOND = 2
const OVERVIEW_MS = 2_000
const RANGE_MS = 600_000
const FOUND = 100
const KNOWN_MS_MAX = 30_000

/** Asks an operation of the observing API; throws when the answer is none. */
export function observer(origin, token) {
  return async (operation, input = {}) => {
    const response = await fetch(`${origin}/operations/observe.${operation}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(input),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${operation}: ${response.status} ${text}`)
    return JSON.parse(text)
  }
}

/** Asks until then, with the overview followed beside it as every page does; how soon each was answered. */
export async function askUntil(observe, endMs) {
  const known = await knownBy(observe)
  const questions = Object.entries(questionsOf(known))
  const answersMs = {}
  const following = follow(observe, endMs)
  for (let index = 0; performance.now() < endMs; index++) {
    const [name, [operation, inputOf]] = questions[index % questions.length]
    const toMs = Date.now()
    const beginMs = performance.now()
    const answer = await observe(operation, inputOf({ fromMs: toMs - RANGE_MS, toMs })).catch((error) => {
      console.log(`  not answered: ${error.message}`)
      return undefined
    })
    const tookMs = performance.now() - beginMs
    answersMs[name] ??= []
    // A page that is full is whole; one that is not goes on with the next question. No answer is one that never comes.
    answersMs[name].push({
      ms: answer === undefined ? Number.POSITIVE_INFINITY : tookMs,
      isComplete: answer !== undefined && (!answer.nextCursor || answer.items.length >= FOUND),
    })
    await pause(Math.max(100, 1_000 / PER_SECOND - tookMs))
  }
  await following
  return answersMs
}

async function follow(observe, endMs) {
  while (performance.now() < endMs) {
    await observe('overview').catch(() => {
      // Counted where it is asked as a question.
    })
    await pause(OVERVIEW_MS)
  }
}

/** A trace and an order that are there, as somebody would have found them. */
async function knownBy(observe) {
  const endMs = performance.now() + KNOWN_MS_MAX
  for (;;) {
    if (performance.now() > endMs) throw new Error('no line that was sent is found')
    const { items } = await observe('logs', { q: '"order placed" service=catalog', limit: 1 })
    const [line] = items
    if (line?.fields.orderId !== undefined) return { orderId: line.fields.orderId, traceId: line.traceId }
    await pause(500)
  }
}

function questionsOf({ orderId, traceId }) {
  const range = (more) => (its) => ({ ...its, ...more })
  return {
    // Not what is being followed: that would be the same answer.
    overview: ['overview', () => ({ windowMs: 300_000 })],
    map: ['map', () => ({ windowMs: 300_000 })],
    'a service': ['service', () => ({ service: 'orders', windowMs: 300_000 })],
    'newest traces': ['traces', range({})],
    'failed traces': ['traces', range({ isFailed: true })],
    'slow traces of a service': ['traces', range({ service: 'orders', minMs: 50 })],
    'a trace': ['trace', () => ({ traceId })],
    'newest lines': ['logs', range({})],
    'lines with a word': ['logs', range({ q: 'placed' })],
    'lines of an order': ['logs', range({ q: orderId })],
    'lines by field': ['logs', range({ q: `orderId=${orderId}` })],
    'errors of a service': ['logs', range({ q: 'service=orders level>=error' })],
    'lines over time': ['logHistogram', range({})],
    'lines with a word over time': ['logHistogram', range({ q: 'placed' })],
    metrics: ['metrics', () => ({})],
    'rate by service': ['series', range({ name: 'flotilla_server_calls_total', as: 'rate', by: 'service' })],
    'p99 of the gateway': [
      'series',
      range({ name: 'flotilla_gateway_duration_seconds', as: 'quantile', quantile: 0.99, by: '' }),
    ],
    'p99 by operation': [
      'series',
      range({ name: 'flotilla_server_duration_seconds', as: 'quantile', quantile: 0.99, by: 'operation' }),
    ],
    'memory of processes': [
      'series',
      range({ name: 'process_resident_memory_bytes', as: 'value', by: 'process' }),
    ],
    topics: ['topics', () => ({})],
    routes: ['routes', () => ({})],
    alerts: ['alerts', () => ({})],
    databases: ['databases', () => ({})],
    'how the store is': ['store', () => ({})],
  }
}
