/**
 * The signals of a host beside those of its calls: what its process is like, and sending them to the endpoints it is told.
 *
 * @module
 */
import { Ticker } from '../kernel/ticker.ts'
import { otlpMetrics } from '../telemetry/otlp-metrics.ts'
import { OtlpSender, type Post } from '../telemetry/otlp-sender.ts'
import type { ResourceFacts } from '../telemetry/otlp-values.ts'
import { SpanExporter } from '../telemetry/span-exporter.ts'
import type { HttpClient } from '../wire/http/http-client.ts'
import type { OtlpEndpoint, OtlpSettings } from './otlp-settings.ts'
import type { HostParts } from './parts.ts'
import { showProcess } from './process-metrics.ts'

/** What is left at closing gets so long. */
const CLOSING_MS_MAX = 2_000

/** Begins to watch and to send; ends with the host, after its services. */
export function openTelemetry(
  parts: HostParts,
  otlp: OtlpSettings,
  onKept: (traceIds: readonly string[]) => void,
): void {
  const { app, settings, ports, metrics, closing } = parts
  const { instance, version } = settings
  showProcess(metrics, ports.clock, closing)
  const facts: ResourceFacts = { app: app.name, instance, version, attributes: otlp.resource }
  if (otlp.metrics !== undefined) pushMetrics(parts, facts, otlp.metrics, otlp.metricsIntervalMs)
  if (otlp.traces.length > 0) exportSpans(parts, facts, otlp.traces, onKept)
}

function exportSpans(
  parts: HostParts,
  facts: ResourceFacts,
  endpoints: OtlpSettings['traces'],
  onKept: (traceIds: readonly string[]) => void,
): void {
  const { ports, spans, log, metrics, closing } = parts
  const { clock, random } = ports
  const to = endpoints.map((endpoint) => ({
    name: endpoint.name,
    sender: new OtlpSender(clock, random, postTo(parts.http, endpoint)),
    timeoutMs: endpoint.timeoutMs,
  }))
  const exporter = new SpanExporter({ ring: spans, to, facts, clock, random, log, metrics, onKept })
  closing.defer('export of spans', () => exporter.close())
}

/** As they are at each turn: what cannot be sent is in what is sent later, for they count from the start. */
function pushMetrics(
  parts: HostParts,
  facts: ResourceFacts,
  endpoint: OtlpEndpoint,
  intervalMs: number,
): void {
  const { settings, ports, metrics, log, closing } = parts
  const { clock, random } = ports
  const post = postTo(parts.http, endpoint)
  const service = settings.services.join(',')
  const startMs = clock.now()
  const pushes = metrics.counter('flotilla_metrics_pushes_total', 'Pushes of metrics, taken or failed.', [
    'outcome',
  ])
  let isTroubled = false
  const push = async (timeoutMs: number): Promise<void> => {
    const { status } = await post(otlpMetrics(metrics, service, facts, startMs, clock.now()), timeoutMs)
    const isTaken = status >= 200 && status < 300
    pushes.with(isTaken ? 'taken' : 'failed').add()
    if (!isTaken && !isTroubled) log.warn('metrics are not taken', { status })
    if (isTaken && isTroubled) log.info('metrics are taken again')
    isTroubled = !isTaken
  }
  const ticker = new Ticker({
    clock,
    random,
    intervalMs,
    turn: () => push(endpoint.timeoutMs),
    onError: (error) => log.error('metrics could not be exported', { error }),
  })
  closing.defer('export of metrics', async () => {
    const last = ticker.close().then(() => push(CLOSING_MS_MAX))
    const late = new AbortController()
    const timeIsUp = clock.sleep(CLOSING_MS_MAX, late.signal).catch(() => {
      // It was done in time.
    })
    await Promise.race([last, timeIsUp])
    late.abort()
  })
}

function postTo(http: HttpClient, { url, headers }: OtlpEndpoint): Post {
  return async (body, timeoutMs) => {
    try {
      const answer = await http.send({
        method: 'POST',
        url,
        headers: { ...headers, 'content-type': 'application/json' },
        body,
        timeoutMs,
      })
      const retryAfterS = Number(answer.headers['retry-after'] ?? 0)
      return { status: answer.status, retryAfterS: retryAfterS > 0 ? retryAfterS : 0, body: answer.body }
    } catch {
      // No answer, which the sender counts.
      return { status: 0, retryAfterS: 0, body: '' }
    }
  }
}
