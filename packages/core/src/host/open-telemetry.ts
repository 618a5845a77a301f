/**
 * The signals of a host beside those of its calls: what its process is like, and sending them to the endpoints it is told.
 *
 * @module
 */
import { OtlpSender, type Post } from '../telemetry/otlp-sender.ts'
import type { ResourceFacts } from '../telemetry/otlp-values.ts'
import { SpanExporter } from '../telemetry/span-exporter.ts'
import type { HttpClient } from '../wire/http/http-client.ts'
import type { OtlpEndpoint, OtlpSettings } from './otlp-settings.ts'
import type { HostParts } from './parts.ts'
import { showProcess } from './process-metrics.ts'

/** Begins to watch and to send; ends with the host, after its services. */
export function openTelemetry(
  parts: HostParts,
  otlp: OtlpSettings,
  onKept: (traceIds: readonly string[]) => void,
): void {
  const { app, settings, ports, spans, log, metrics, closing } = parts
  const { instance, version } = settings
  showProcess(metrics, ports.clock, closing)
  const facts: ResourceFacts = { app: app.name, instance, version, attributes: otlp.resource }
  if (otlp.traces !== undefined) {
    const { clock, random } = ports
    const { timeoutMs } = otlp.traces
    const sender = new OtlpSender(clock, random, postTo(parts.http, otlp.traces))
    const exporter = new SpanExporter({
      ring: spans,
      sender,
      facts,
      clock,
      random,
      log,
      metrics,
      timeoutMs,
      onKept,
    })
    closing.defer('export of spans', () => exporter.close())
  }
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
