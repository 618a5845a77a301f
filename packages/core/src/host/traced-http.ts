/**
 * Outside HTTP on behalf of a span: the request has a span of its own, whose place in the trace the server is told.
 *
 * @module
 */
import type { Code } from '../kernel/code.ts'
import type { Ports } from '../kernel/context.ts'
import type { SpanRecorder } from '../telemetry/spans.ts'
import type { HttpClient, HttpRequest, HttpResponse } from '../wire/http/http-client.ts'
import { headers } from '../wire/http/http-headers.ts'

/** `http`, for one service; closing it is not this one's business. */
export function tracedHttp(http: HttpClient, { clock, random }: Ports, spans: SpanRecorder): HttpClient {
  return {
    send: (request) => (request.trace === undefined ? http.send(request) : traced(request, request.trace)),
    close: () => http.close(),
  }

  async function traced(
    request: HttpRequest,
    parent: NonNullable<HttpRequest['trace']>,
  ): Promise<HttpResponse> {
    const own = parent.child(random)
    const startMs = clock.monotonicMs()
    const { method, url } = request
    const { host, origin, pathname } = new URL(url)
    let status = 0
    let code: Code | 'ok' = 'unavailable'
    try {
      const response = await http.send({
        ...request,
        headers: { ...request.headers, [headers.traceparent]: own.toString() },
      })
      status = response.status
      if (status < 500) code = 'ok'
      return response
    } finally {
      // Without the query, in which others put secrets.
      const attributes = { 'http.request.method': method, 'url.full': origin + pathname }
      const all = status === 0 ? attributes : { ...attributes, 'http.response.status_code': status }
      spans.record(
        `${method} ${host}`,
        'client',
        own,
        parent,
        startMs,
        clock.monotonicMs() - startMs,
        code,
        all,
      )
    }
  }
}
