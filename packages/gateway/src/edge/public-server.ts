/**
 * The server that faces the world: Node's strict parser, tight bounds, one exchange per request.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { FlotillaError } from '@flotilla/core/error'
import { listen } from '@flotilla/core/http-server'
import { PROBLEM_TYPE } from '@flotilla/core/problem'
import { addressGroup } from '../match/client-address.ts'
import { readHead } from '../match/request-head.ts'
import { plainProblem } from './answer.ts'
import { Connections } from './connections.ts'
import type { Edge } from './equipment.ts'
import { Exchange } from './exchange.ts'

const HEAD_BYTES_MAX = 16 * 1024
const REQUESTS_PER_SOCKET_MAX = 1_000
/** A whole request, and an answer that its client does not read, may take this many times as long as a head. */
const HEADS_A_REQUEST = 3
/** What a gateway that leaves waits for requests of which it has a part: a process has 10 s to close. */
const LEAVE_MS_MAX = 5_000

/** The listening server. */
export interface PublicServer {
  readonly port: number
  /** Takes no new connections, lets requests end, and ends streams. */
  drain(): Promise<void>
}

/** @throws FlotillaError `unavailable` when the port is taken. */
export async function openPublicServer(edge: Edge): Promise<PublicServer> {
  const { clock, config, log } = edge.runtime
  const server = createServer({
    insecureHTTPParser: false,
    // The strict head check asks for it; Node's own refusal would be no problem document.
    requireHostHeader: false,
    maxHeaderSize: HEAD_BYTES_MAX,
    headersTimeout: config.headTimeoutMs,
    requestTimeout: HEADS_A_REQUEST * config.headTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, config.headTimeoutMs),
    // Longer than what clients and proxies in front usually keep, so that it is not us who close under their request.
    keepAliveTimeout: 75_000,
  })
  server.maxRequestsPerSocket = REQUESTS_PER_SOCKET_MAX
  server.maxConnections = config.connectionsMax
  // The strict head check counts them; Node would drop what is too many without a word.
  server.maxHeadersCount = 0
  const connections = new Connections({
    clock,
    perAddressMax: config.connectionsPerAddressMax,
    unreadMs: HEADS_A_REQUEST * config.headTimeoutMs,
    groupOf: (remoteAddress) => addressGroup(edge.addressOf(remoteAddress, undefined)),
  })
  server.on('connection', (socket) => connections.add(socket))
  const latest: Latest = new WeakMap()
  server.on('request', (incoming, outgoing) =>
    inTurn(latest, outgoing, () => exchange(edge, incoming, outgoing)),
  )
  // Answered by Node itself without these.
  server.on('checkContinue', (incoming, outgoing) =>
    inTurn(latest, outgoing, () => {
      // Node looks for the word anywhere in the field.
      if (incoming.headers.expect?.toLowerCase() !== '100-continue') refuseExpectation(outgoing)
      else {
        if (isBodyWelcome(incoming)) outgoing.writeContinue()
        exchange(edge, incoming, outgoing)
      }
    }),
  )
  server.on('checkExpectation', (_, outgoing) => inTurn(latest, outgoing, () => refuseExpectation(outgoing)))
  server.on('clientError', (error, socket) => refuseRaw(latest, socket as Socket, ...parserRefusal(error)))
  server.on('upgrade', (_, socket) => refuseRaw(latest, socket as Socket, 501, 'Not Implemented'))
  await listen(server, config.host, config.port)
  connections.watch()
  const closed = new Promise<void>((resolve) => server.once('close', () => resolve()))
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : config.port
  log.info('the gateway listens', { host: config.host, port })
  return {
    port,
    async drain() {
      server.close()
      server.closeIdleConnections()
      // They would go on for an hour. Who listens connects again, to somebody who stays.
      const leaving = new FlotillaError('unavailable', 'The gateway is leaving; please connect again.')
      for (const stream of edge.streams) stream.cancel(leaving)
      const late = clock.schedule(Math.min(config.headTimeoutMs, LEAVE_MS_MAX), () =>
        connections.cutUnasked((socket) => latest.get(socket)),
      )
      await closed
      late.cancel()
      connections.close()
    },
  }
}

function parserRefusal({ code }: NodeJS.ErrnoException): [status: number, title: string] {
  if (code === 'HPE_HEADER_OVERFLOW') return [431, 'Request Header Fields Too Large']
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'Request Timeout']
  return [400, 'Bad Request']
}

/** The answer to the last request of each connection. */
type Latest = WeakMap<Socket, ServerResponse>

/**
 * Takes a request when the one before it on its connection is answered: a command must not overtake another (RFC 9112, 9.3.2). Never
 * when we close after that answer: what was read behind it would run without an answer, and if it was refused, nobody knows whether
 * there is a request at all.
 */
function inTurn(latest: Latest, outgoing: ServerResponse, take: () => void): void {
  const { socket } = outgoing.req
  const before = latest.get(socket)
  if (before?.shouldKeepAlive === false) return
  latest.set(socket, outgoing)
  if (before === undefined || before.destroyed) take()
  else
    before.once('close', () => {
      if (before.shouldKeepAlive && !socket.destroyed) take()
    })
}

function exchange(edge: Edge, incoming: IncomingMessage, outgoing: ServerResponse): void {
  void new Exchange(edge, incoming, outgoing).run()
}

/** Whether somebody who waits with a body is to send it. The exchange reads the head again: few expect anything. */
function isBodyWelcome({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): boolean {
  const head = readHead(method, url, httpVersion, rawHeaders)
  return 'path' in head && head.hasBody
}

function refuseExpectation(outgoing: ServerResponse): void {
  outgoing.shouldKeepAlive = false
  const body = plainProblem(417, 'Expectation Failed.')
  const headers = { 'content-type': PROBLEM_TYPE, 'content-length': Buffer.byteLength(body) }
  outgoing.writeHead(417, headers).end(body)
}

/**
 * Answers where there is no request to answer, and closes: what follows on such a connection cannot be trusted. The
 * answers to earlier requests go out first; ours is left out where a client would take it for one of them.
 */
function refuseRaw(latest: Latest, socket: Socket, status: number, title: string): void {
  if (socket.destroyed || !socket.writable) return
  const outgoing = latest.get(socket)
  if (outgoing === undefined || isNextToAnswer(outgoing)) {
    const body = plainProblem(status, `${title}.`)
    socket.end(
      `HTTP/1.1 ${status} ${title}\r\nconnection: close\r\ncontent-type: ${PROBLEM_TYPE}\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
  } else if (outgoing.req.complete && !outgoing.headersSent) outgoing.shouldKeepAlive = false
  else if (!outgoing.writableEnded || outgoing.shouldKeepAlive) socket.destroySoon()
}

/** True when nothing is on its way and the connection stays, or only the refused request itself is, its body wrong. */
function isNextToAnswer(outgoing: ServerResponse): boolean {
  if (outgoing.writableEnded) return outgoing.writableFinished && outgoing.shouldKeepAlive
  // One that waits behind another has no socket yet.
  return !outgoing.req.complete && !outgoing.headersSent && outgoing.socket !== null
}
