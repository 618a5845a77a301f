/**
 * An OTLP endpoint for tests: takes JSON over HTTP, as collectors do, and refuses what is not well-formed.
 *
 * @module
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A span as it came. */
export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes?: readonly { readonly key: string; readonly value: object }[]
  readonly status: { readonly code?: number; readonly message?: string }
  /** `service.name` of its resource. */
  readonly service: string
}

/** The endpoint. */
export interface OtlpReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string
  readonly spans: readonly ReceivedSpan[]
  /** Bodies of `/v1/metrics`. */
  readonly metrics: readonly unknown[]
  /** Headers of each request, in their order. */
  readonly headers: readonly Readonly<Record<string, string | readonly string[] | undefined>>[]
  /** What is answered from now on; 200 takes what comes. At first 200. */
  status: number
  /** Requests are taken and answered only after this. At first it has been. */
  answersAfter: Promise<void>
}

interface Request {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue: string } }[] }
    readonly scopeSpans: readonly { readonly spans: readonly Omit<ReceivedSpan, 'service'>[] }[]
  }[]
}

/** Opens an endpoint on a free port of loopback; closed after the test. */
export async function openOtlpReceiver(t: {
  after(cleanUp: () => Promise<void>): void
}): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = []
  const metrics: unknown[] = []
  const headers: OtlpReceiver['headers'][number][] = []
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    headers.push(incoming.headers)
    await receiver.answersAfter
    if (receiver.status === 200) {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Request
      if (incoming.url === '/v1/traces') spans.push(...spansIn(body))
      else metrics.push(body)
    }
    outgoing.writeHead(receiver.status, { 'content-type': 'application/json' }).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${port}`,
    spans,
    metrics,
    headers,
    status: 200,
    answersAfter: Promise.resolve(),
  }
  return receiver
}

function spansIn({ resourceSpans }: Request): readonly ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? ''
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service })))
  })
}
