/**
 * The HTTP face of a process: every operation of its services as JSON, and a few fixed pages (health, metrics).
 *
 * Meant for people with curl, for foreign programs and for the network between services where frames cannot go. It
 * listens on loopback or an internal network; the gateway is what faces the internet.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Server as Listener } from 'node:net'
import type { Operation } from '../../contract/operation.ts'
import { PROBLEM_TYPE } from '../../contract/problem.ts'
import { entityTag, preferenceOf, readInput, statusOf } from '../../contract/rest.ts'
import type { Caller } from '../../kernel/caller.ts'
import { Cancellation } from '../../kernel/cancellation.ts'
import { type Criticality, criticalities, lessCritical, type Ports } from '../../kernel/context.ts'
import { asSeenUpstream, FlotillaError, isFlotillaError } from '../../kernel/error.ts'
import { parseUntrustedJson } from '../../kernel/json.ts'
import { TraceContext } from '../../kernel/trace-context.ts'
import type { CallRequest, Receiver, Reply } from '../wire.ts'
import { BODY_BYTES_MAX, tooLong } from './bounded-text.ts'
import { headers, OPERATIONS_PATH } from './http-headers.ts'
import { createRouter, type Router } from './router.ts'
import { sendEvents } from './send-events.ts'
import { wireProblem } from './wire-problem.ts'

/** A fixed answer to `GET <path>`. */
export interface Page {
  readonly status: number
  readonly contentType: string
  readonly body: string | Uint8Array
  /** Further fields; none by default. */
  readonly headers?: Readonly<Record<string, string>>
}

/** What a server needs. */
export interface HttpServerOptions {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  readonly ports: Ports
  readonly receiver: Receiver
  /** Who is asking. Throws a `FlotillaError` to refuse. */
  readonly authenticate: (incoming: IncomingMessage) => Caller
  /** Looked up before operations. */
  readonly page?: (path: string, incoming: IncomingMessage) => Page | Promise<Page> | undefined
  /** Answers what speaks another protocol over HTTP; looked at before anything else. Undefined: it does not. */
  readonly foreign?: (path: string, incoming: IncomingMessage) => Promise<Page> | undefined
}

/** A listening server. */
export interface HttpServer {
  readonly host: string
  readonly port: number
  /** Ends idle connections, lets requests end, stops listening. */
  drain(): Promise<void>
  /** Ends everything at once. */
  close(): Promise<void>
}

/** @throws FlotillaError `unavailable` when the port is taken. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const face = new HttpFace(options)
  const server = createServer(
    // Longer than the 30 s for which our clients keep an idle connection, so that it is never we who close first.
    {
      keepAliveTimeout: 75_000,
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      connectionsCheckingInterval: 1_000,
    },
    (incoming, outgoing) => void face.answer(incoming, outgoing),
  )
  await listen(server, options.host, options.port)
  const closed = new Promise<void>((resolve) => server.once('close', () => resolve()))
  const bound = server.address()
  return {
    host: options.host,
    port: typeof bound === 'object' && bound !== null ? bound.port : options.port,
    async drain() {
      face.drain(server)
      server.close()
      server.closeIdleConnections()
      await closed
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** Resolves when the server listens; a taken port is an error in words. */
export function listen(server: Listener, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'another program listens there already' : cause.message
      reject(new FlotillaError('unavailable', `Cannot listen on ${host}:${port}: ${why}.`, { cause }))
    })
    server.listen({ host, port }, () => resolve())
  })
}

/** Answers requests. */
class HttpFace {
  /** The server that drains; undefined while it serves. */
  #draining: Server | undefined
  readonly #streams = new Set<Cancellation>()
  readonly #options: HttpServerOptions
  readonly #router: Router
  readonly #byId = new Map<string, Operation>()

  constructor(options: HttpServerOptions) {
    this.#options = options
    this.#router = createRouter(options.receiver.operations)
    for (const operation of options.receiver.operations) this.#byId.set(operation.id, operation)
  }

  /** From now on connections end with their answer. Streams would go on for ever, so they end for the caller to open elsewhere. */
  drain(server: Server): void {
    this.#draining = server
    const moved = new FlotillaError('unavailable', 'The instance is going away.')
    for (const cancellation of this.#streams) cancellation.cancel(moved)
  }

  async answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { ports } = this.#options
    const parent = TraceContext.parse(incoming.headers[headers.traceparent] as string)
    const trace = parent ?? TraceContext.open(ports.random, false)
    if (this.#draining !== undefined) outgoing.setHeader('connection', 'close')
    try {
      const [path = '', search = ''] = splitTarget(incoming.url ?? '/')
      const { foreign, page: pageOf } = this.#options
      const isGet = incoming.method === 'GET'
      const page = await (foreign?.(path, incoming) ?? (isGet ? pageOf?.(path, incoming) : undefined))
      if (page !== undefined) {
        for (const [name, value] of Object.entries(page.headers ?? {})) outgoing.setHeader(name, value)
        return send(outgoing, page.status, page.contentType, page.body)
      }
      await this.#operate(incoming, outgoing, path, search, trace)
    } catch (error) {
      sendError(outgoing, isFlotillaError(error) ? error : asSeenUpstream(error, {}), trace)
    }
  }

  async #operate(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    path: string,
    search: string,
    trace: TraceContext,
  ): Promise<void> {
    const { clock } = this.#options.ports
    const match = this.#match(incoming.method ?? 'GET', path)
    const caller = this.#options.authenticate(incoming)
    const cancellation = new Cancellation()
    outgoing.on('close', () => {
      if (!outgoing.writableEnded) cancellation.cancel(new FlotillaError('canceled', 'The caller hung up.'))
      this.#streams.delete(cancellation)
      // An answer begun before the drain did not say that the connection ends with it.
      this.#draining?.closeIdleConnections()
    })
    const body = await readBody(incoming)
    const startMs = clock.monotonicMs()
    const request: CallRequest = {
      operation: match.operation,
      input: match.isById
        ? (body ?? {})
        : readInput(match.operation, {
            parameters: match.parameters,
            search,
            ifMatch: incoming.headers['if-match'],
            prefer: textHeader(incoming, headers.prefer),
            body,
          }),
      wantsJson: true,
      caller,
      startMs,
      deadlineMs: startMs + timeoutOf(incoming, match.operation),
      requestId: requestIdOf(incoming),
      trace,
      criticality: criticalityOf(incoming, caller, match.operation),
      cancellation,
      idempotencyKey: textHeader(incoming, headers.idempotencyKey),
    }
    if (match.operation.kind === 'stream') {
      this.#streams.add(cancellation)
      const open = (fields: readonly string[]): ServerResponse => {
        outgoing.writeHead(200, [...fields])
        outgoing.flushHeaders()
        return outgoing
      }
      await sendEvents(open, this.#options.receiver.stream(request), {
        clock,
        cancellation,
        problemOf: (error) => wireProblem(error, trace),
      })
      return
    }
    this.#options.receiver.call(request, (reply) => sendReply(outgoing, request, reply))
  }

  #match(
    method: string,
    path: string,
  ): { operation: Operation; parameters: Record<string, string | undefined>; isById: boolean } {
    if (path.startsWith(OPERATIONS_PATH) && method === 'POST') {
      const operation = this.#byId.get(path.slice(OPERATIONS_PATH.length))
      if (operation !== undefined) return { operation, parameters: {}, isById: true }
    }
    if (path.startsWith(OPERATIONS_PATH)) {
      throw new FlotillaError('unimplemented', 'There is no such operation here.', { executed: 'no' })
    }
    const hit = this.#router.find(method, path)
    if (hit !== undefined) return { ...hit, isById: false }
    const allowed = this.#router.allowedMethods(path)
    if (allowed.length === 0) throw new FlotillaError('not_found', 'No such path.', { executed: 'no' })
    throw new FlotillaError('unimplemented', `This path takes ${allowed.join(', ')}.`, {
      executed: 'no',
      status: 405,
    })
  }
}

/** Path and query string of a request target. */
export function splitTarget(target: string): [path: string, search: string] {
  const mark = target.indexOf('?')
  return mark < 0 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)]
}

function textHeader(incoming: IncomingMessage, name: string): string | undefined {
  const value = incoming.headers[name]
  return typeof value === 'string' ? value : undefined
}

/** Only for finding things again: a strange one is left out rather than refused. */
function requestIdOf(incoming: IncomingMessage): string | undefined {
  const value = textHeader(incoming, headers.requestId)
  return value !== undefined && value.length > 0 && value.length <= 128 ? value : undefined
}

function timeoutOf(incoming: IncomingMessage, operation: Operation): number {
  const given = Number(incoming.headers[headers.timeoutMs] ?? Number.NaN)
  return given >= 0 ? Math.min(given, operation.timeoutMs) : operation.timeoutMs
}

/** A service passes on what it was given; who comes from outside gets what the contract says, or less. */
function criticalityOf(incoming: IncomingMessage, caller: Caller, operation: Operation): Criticality {
  const wanted = criticalities.find((name) => name === incoming.headers[headers.criticality])
  if (wanted === undefined) return operation.criticality
  return caller.service === undefined ? lessCritical(operation.criticality, wanted) : wanted
}

/** @throws FlotillaError `invalid_argument` when it is not JSON, `resource_exhausted` (413) when it is too long. */
async function readBody(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) throw tooLong()
    chunks.push(chunk)
  }
  return bytes === 0 ? undefined : parseUntrustedJson(Buffer.concat(chunks).toString('utf8'))
}

function sendReply(outgoing: ServerResponse, request: CallRequest, reply: Reply): void {
  if (reply.isReplayed) outgoing.setHeader(headers.replayed, 'true')
  const { rest } = request.operation
  if (rest?.browsing !== undefined && reply.error === undefined)
    // Nobody here is a browser.
    return send(outgoing, 200, 'application/json', reply.json ?? JSON.stringify(reply.output))
  const preference = rest === undefined ? undefined : preferenceOf(rest, request.input)
  if (preference !== undefined) outgoing.setHeader(headers.preferenceApplied, preference)
  if (reply.error !== undefined) return sendError(outgoing, reply.error, request.trace)
  const status = rest === undefined ? 200 : statusOf(rest, reply.output)
  const fields = reply.output as Readonly<Record<string, unknown>> | undefined
  if (status === 204) {
    outgoing.writeHead(204).end()
    return
  }
  const body = reply.json ?? JSON.stringify(reply.output)
  if (Buffer.byteLength(body) > BODY_BYTES_MAX) return sendError(outgoing, answerTooLong(), request.trace)
  const version = rest?.etag === undefined ? undefined : fields?.[rest.etag]
  if (version !== undefined) outgoing.setHeader('etag', entityTag(version, body))
  send(outgoing, status, 'application/json', body)
}

function answerTooLong(): FlotillaError {
  return new FlotillaError('internal', `An answer may have ${BODY_BYTES_MAX} bytes.`)
}

function send(
  outgoing: ServerResponse,
  status: number,
  contentType: string,
  body: string | Uint8Array,
): void {
  outgoing
    .writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) })
    .end(body)
}

function sendError(outgoing: ServerResponse, error: FlotillaError, trace: TraceContext): void {
  if (outgoing.headersSent) {
    outgoing.destroy()
    return
  }
  if (error.retryAfterMs !== undefined)
    outgoing.setHeader('retry-after', Math.ceil(error.retryAfterMs / 1000))
  const body = JSON.stringify(wireProblem(error, trace))
  if (Buffer.byteLength(body) > BODY_BYTES_MAX) return sendError(outgoing, answerTooLong(), trace)
  send(outgoing, error.status, PROBLEM_TYPE, body)
}
