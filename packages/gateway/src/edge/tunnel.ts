/**
 * A WebSocket with a foreign server: checked like any request, and then a pipe.
 *
 * @source RFC 6455, 4.2 and 10.2 (origins)
 * @module
 */
import type { Duplex } from 'node:stream'
import type { CancelListener } from '@flotilla/core/cancellation'
import { FlotillaError } from '@flotilla/core/error'
import type { ToUpstream } from '../policy/gateway-policies.ts'
import type { ForeignHead } from '../upstream/foreign-head.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Edge } from './equipment.ts'
import { type RelayOptions, Taker, upstreamRequest } from './relay.ts'

/** Without a byte in either direction. */
const IDLE_MS_MAX = 300_000
const HANDSHAKE = new Set(['sec-websocket-accept', 'sec-websocket-protocol', 'sec-websocket-extensions'])

/** Opens it, or refuses. */
export function tunnel(edge: Edge, upstream: Upstream, to: ToUpstream, options: RelayOptions): void {
  const refused = refusal(to, options)
  if (refused !== undefined) return options.onFail(refused)
  upstream.send(upstreamRequest(to, options), new Tunnel(edge, options))
}

/** Takes the WebSocket, or the answer of a server that wants none. */
class Tunnel extends Taker {
  readonly #edge: Edge
  readonly #options: RelayOptions

  constructor(edge: Edge, options: RelayOptions) {
    super(edge, options)
    this.#edge = edge
    this.#options = options
  }

  opened(head: ForeignHead, theirs: Duplex, theirRead: Buffer): void {
    const { turn, record, onFail } = this.#options
    const taken = turn.takeOver()
    if (taken === undefined) {
      theirs.destroy()
      return onFail(
        new FlotillaError('unimplemented', 'There is no WebSocket on this connection.', { status: 501 }),
      )
    }
    const { socket: ours, read } = taken
    ours.write(switching(head.fields, record.requestId), 'latin1')
    ours.write(theirRead)
    theirs.write(read)
    join(this.#edge, this.#options, ours, theirs)
  }
}

function refusal(
  { webSocketOrigins: origins }: ToUpstream,
  { turn, head }: RelayOptions,
): FlotillaError | undefined {
  if (origins === undefined || turn.method !== 'GET')
    return new FlotillaError('unimplemented', 'There is no WebSocket here.', { status: 501, executed: 'no' })
  // Programs that are no browsers do not say.
  if (head.origin === undefined || origins.includes('*') || origins.includes(head.origin)) return undefined
  return new FlotillaError('permission_denied', 'This origin may open no WebSocket here.', { executed: 'no' })
}

function switching(fields: readonly string[], requestId: string): string {
  const lines = fields.flatMap((name, index) =>
    index % 2 === 0 && HANDSHAKE.has(name) ? [`${name}: ${fields[index + 1]}\r\n`] : [],
  )
  return `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nx-request-id: ${requestId}\r\n${lines.join('')}\r\n`
}

/** Passes on what comes until either side ends, nothing has come for long, or the gateway leaves. */
function join(
  { runtime, streams }: Edge,
  { cancellation, record }: RelayOptions,
  ours: Duplex,
  theirs: Duplex,
): void {
  const { clock } = runtime
  let bytes = 0
  let seenMs = clock.monotonicMs()
  const seen = (part: Buffer): void => {
    bytes += part.length
    seenMs = clock.monotonicMs()
  }
  const listener: CancelListener = { canceled: () => ours.destroy() }
  let isOver = false
  const end = (): void => {
    if (isOver) return
    isOver = true
    timer.cancel()
    streams.delete(cancellation)
    cancellation.unlisten(listener)
    ours.destroy()
    theirs.destroy()
    record.ended(101, bytes, undefined)
  }
  const look = (): void => {
    const idleMs = clock.monotonicMs() - seenMs
    if (idleMs >= IDLE_MS_MAX) end()
    else timer = clock.schedule(IDLE_MS_MAX - idleMs, look)
  }
  let timer = clock.schedule(IDLE_MS_MAX, look)
  streams.add(cancellation, record.asker)
  cancellation.listen(listener)
  for (const [from, to] of [
    [ours, theirs],
    [theirs, ours],
  ] as const) {
    from.on('data', seen)
    from.on('error', end)
    from.on('close', end)
    from.pipe(to)
  }
}
