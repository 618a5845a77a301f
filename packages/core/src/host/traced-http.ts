/**
 * Outside HTTP of one service: each request is counted, and one on behalf of a span has a span of its own, whose place in the trace the
 * server is told.
 *
 * @module
 */
import type { Code } from '../kernel/code.ts'
import type { Ports } from '../kernel/context.ts'
import type { TraceContext } from '../kernel/trace-context.ts'
import type { OutsidePeer } from '../telemetry/outside-requests.ts'
import type { SpanRecorder } from '../telemetry/spans.ts'
import type { HttpClient, HttpRequest, HttpResponse } from '../wire/http/http-client.ts'
import { headers } from '../wire/http/http-headers.ts'

/** Where it is told. */
export interface HttpSignals {
  readonly spans: SpanRecorder
  /** By host and port. */
  readonly peerOf: (host: string) => OutsidePeer
}

/** `http`, for one service; closing it is not this one's business. */
export function tracedHttp(
  http: HttpClient,
  { clock, random }: Ports,
  { spans, peerOf }: HttpSignals,
): HttpClient {
  return { send, close: () => http.close() }

  async function send(request: HttpRequest): Promise<HttpResponse> {
    const own = request.trace?.child(random)
    const url = new URL(request.url)
    const peer = peerOf(url.host)
    const startMs = clock.monotonicMs()
    let status = 0
    let code: Code | 'ok' = 'unavailable'
    peer.begin()
    try {
      const response = await http.send(own === undefined ? request : below(request, own))
      status = response.status
      if (status < 500) code = 'ok'
      return response
    } finally {
      const durationMs = clock.monotonicMs() - startMs
      peer.end(code, durationMs)
      if (own !== undefined) {
        const attributes = attributesOf(request, url, status, peer)
        const name = `${request.method} ${url.host}`
        spans.record(name, 'client', own, request.trace, startMs, durationMs, code, attributes)
      }
    }
  }
}

function below(request: HttpRequest, own: TraceContext): HttpRequest {
  return { ...request, headers: { ...request.headers, [headers.traceparent]: own.toString() } }
}

function attributesOf(
  { method }: HttpRequest,
  { origin, pathname, host }: URL,
  status: number,
  peer: OutsidePeer,
): Readonly<Record<string, string | number>> {
  return {
    'http.request.method': method,
    // Without the query, in which others put secrets.
    'url.full': origin + pathname,
    ...(peer.name === host ? {} : { 'peer.service': peer.name }),
    ...(status === 0 ? {} : { 'http.response.status_code': status }),
  }
}
