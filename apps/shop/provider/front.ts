/**
 * The provider's HTTP: requests read, answers written, and the ways not to answer.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError, isFlotillaError } from '@flotilla/core/error'
import { listen } from '@flotilla/core/http-server'
import { parseUntrustedJson } from '@flotilla/core/json'

/** A request. */
export interface FrontRequest {
  readonly method: string
  /** Steps of the path, percent-decoded: `/v1/charges` is `['v1', 'charges']`. */
  readonly path: readonly string[]
  readonly search: URLSearchParams
  readonly body: unknown
  readonly idempotencyKey: string | undefined
  readonly authorization: string | undefined
  readonly traceparent: string | undefined
}

/** An answer: `hang` leaves the caller without any, `cut` ends the connection. */
export type FrontAnswer =
  | { readonly status: number; readonly body: unknown; readonly retryAfterS?: number }
  | 'hang'
  | 'cut'

/** What listens. */
export interface Front {
  readonly port: number
  /** Ends everything at once, as an outside company may. */
  close(): Promise<void>
}

const BODY_BYTES_MAX = 64 * 1024
/** By then every caller has given up. */
const HANG_MS_MAX = 60_000

/** @throws FlotillaError `unavailable` when the port is taken. */
export async function openFront(
  { host, port, clock }: { readonly host: string; readonly port: number; readonly clock: Clock },
  answer: (request: FrontRequest) => Promise<FrontAnswer>,
): Promise<Front> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (incoming, outgoing) => {
    void respond(incoming, outgoing, clock, answer)
  })
  await listen(server, host, port)
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

async function respond(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  clock: Clock,
  answer: (request: FrontRequest) => Promise<FrontAnswer>,
): Promise<void> {
  let answered: FrontAnswer
  try {
    answered = await answer(await read(incoming))
  } catch (error) {
    answered = failure(error)
  }
  if (answered === 'cut') {
    outgoing.destroy()
  } else if (answered === 'hang') {
    // Who has hung up meanwhile will not do so again.
    if (outgoing.closed) return
    const timer = clock.schedule(HANG_MS_MAX, () => outgoing.destroy())
    outgoing.once('close', () => timer.cancel())
  } else {
    const { status, body, retryAfterS } = answered
    if (retryAfterS !== undefined) outgoing.setHeader('retry-after', retryAfterS)
    const text = JSON.stringify(body)
    outgoing.writeHead(status, { 'content-type': 'application/json' }).end(text)
  }
}

function failure(error: unknown): FrontAnswer {
  const isTheirs = isFlotillaError(error) && error.status < 500
  return isTheirs ? refusal(error.status, 'bad_request', error.message) : refusal(500, 'internal', 'Sorry.')
}

/** An answer that says no. */
export function refusal(status: number, code: string, message: string, retryAfterS?: number): FrontAnswer {
  const body = { error: { code, message } }
  return retryAfterS === undefined ? { status, body } : { status, body, retryAfterS }
}

async function read(incoming: IncomingMessage): Promise<FrontRequest> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) throw bad(`A body may have ${BODY_BYTES_MAX} bytes.`)
    chunks.push(chunk)
  }
  const { authorization, traceparent, 'idempotency-key': key } = incoming.headers
  const [path = '', search = ''] = (incoming.url ?? '/').split('?', 2)
  return {
    method: incoming.method ?? 'GET',
    path: path.split('/').filter(Boolean).map(decode),
    search: new URLSearchParams(search),
    body: bytes === 0 ? undefined : parseUntrustedJson(Buffer.concat(chunks).toString('utf8')),
    idempotencyKey: typeof key === 'string' ? key.slice(0, 255) : undefined,
    authorization,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
  }
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    throw bad('The path is not percent-encoded.')
  }
}

function bad(message: string): FlotillaError {
  return new FlotillaError('invalid_argument', message, { executed: 'no' })
}
