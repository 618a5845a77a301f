/**
 * One connection of HTTP/2, and the requests on it, many at a time. Frames and header compression are nghttp2's, by Node; what is here
 * are the bounds.
 *
 * A client can make work without asking for anything: requests that it takes back at once, pings and settings that must be answered.
 * Each kind is counted, and who does too much of it is cut off. A stream whose answer is not read is cut; when nothing at all is read
 * the connection is, as nobody would read of the cutting either.
 *
 * @source RFC 9113, 10.5; CVE-2023-44487 (rapid reset), CVE-2019-9512 and -9515 (floods of pings and settings)
 * @module
 */
import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { FlotillaError } from '@flotilla/core/error'
import { HEADER_LIST_SIZE_MAX, readStreamHead } from '../match/stream-head.ts'
import type { AnswerHeads } from './answer-head.ts'
import {
  type ConnectionOptions,
  HEADS_A_REQUEST,
  KEEP_ALIVE_MS,
  LINGER_MS,
  type Served,
} from './connection.ts'
import { Http2Turn, type StreamCarrier } from './http2-turn.ts'
import type { Peer } from './tls-front.ts'

const STREAMS_MAX = 100
/** The most that HTTP/2 gives without being asked: 64 KiB less one. */
const STREAM_WINDOW_BYTES = 65_535
const CONNECTION_WINDOW_BYTES = 1024 * 1024
/** A field and a half for each that a request may have: who sends more is told so by its answer, up to here. */
const FIELDS_MAX = 150
/** Malformed requests and empty frames in the life of a connection. */
const INVALID_FRAMES_MAX = 100
const BURST_MS = 10_000
const BURST_MAX = 100

/** Counts what happens in ten seconds. */
class Burst {
  #sinceMs = 0
  #count = 0

  /** Counts one; true when it is one too many. */
  isTooMuch(nowMs: number): boolean {
    if (nowMs - this.#sinceMs >= BURST_MS) {
      this.#sinceMs = nowMs
      this.#count = 0
    }
    return ++this.#count > BURST_MAX
  }
}

/** A connection. */
export class Http2Connection implements Served, StreamCarrier {
  readonly heads: AnswerHeads
  readonly peer: Peer
  readonly remoteAddress: string
  readonly #socket: TLSSocket
  readonly #options: ConnectionOptions
  readonly #session: ServerHttp2Session
  readonly #turns = new Set<Http2Turn>()
  readonly #resets = new Burst()
  readonly #questions = new Burst()
  #hasAsked = false
  #idleSinceMs: number
  #endsSinceMs: number | undefined

  constructor(socket: TLSSocket, peer: Peer, options: ConnectionOptions) {
    this.#socket = socket
    this.#options = options
    this.heads = options.heads
    this.peer = peer
    this.remoteAddress = socket.remoteAddress ?? ''
    this.#idleSinceMs = options.clock.monotonicMs()
    const session = performServerHandshake(socket, {
      maxHeaderListPairs: FIELDS_MAX,
      maxSessionInvalidFrames: INVALID_FRAMES_MAX,
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxConcurrentStreams: STREAMS_MAX,
        maxHeaderListSize: HEADER_LIST_SIZE_MAX,
      },
    })
    this.#session = session
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
    session.on('error', () => {
      // It ends by itself.
    })
    session.on('ping', () => this.#count(this.#questions))
    session.on('remoteSettings', () => this.#count(this.#questions))
    session.on(
      'stream',
      (stream: ServerHttp2Stream, _: IncomingHttpHeaders, __: number, rawHeaders: readonly string[]) =>
        this.#begin(stream, rawHeaders),
    )
  }

  look(nowMs: number): void {
    const { headMs } = this.#options
    if (this.#session.destroyed || this.#session.closed) {
      this.#endsSinceMs ??= nowMs
      if (this.#turns.size === 0 && nowMs - this.#endsSinceMs >= LINGER_MS) this.#socket.destroy()
    } else if (
      this.#turns.size === 0 &&
      nowMs - this.#idleSinceMs >= (this.#hasAsked ? KEEP_ALIVE_MS : headMs)
    )
      this.#session.close()
    this.#lookAtUnread(nowMs, HEADS_A_REQUEST * headMs)
  }

  leave(): void {
    this.#session.close()
  }

  cutUnasked(): void {
    for (const turn of this.#turns) if (!turn.isBodyRead) turn.cut(constants.NGHTTP2_CANCEL)
    if (this.#turns.size === 0) this.#socket.destroy()
  }

  #begin(stream: ServerHttp2Stream, rawHeaders: readonly string[]): void {
    // It may have been taken back in the same breath.
    if (stream.destroyed || this.#session.destroyed) return this.#count(this.#resets)
    if (this.#turns.size >= STREAMS_MAX) {
      stream.on('error', () => {
        // Nothing was begun.
      })
      stream.close(constants.NGHTTP2_REFUSED_STREAM)
      return this.#count(this.#resets)
    }
    this.#hasAsked = true
    const head = readStreamHead(rawHeaders, stream.endAfterHeaders)
    const turn = new Http2Turn(this, stream, head, this.#options.clock.monotonicMs())
    this.#turns.add(turn)
    stream.once('close', () => {
      this.#turns.delete(turn)
      this.#idleSinceMs = this.#options.clock.monotonicMs()
      if (!turn.isCut && (stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR))
        this.#count(this.#resets)
    })
    this.#options.onTurn(turn)
  }

  #count(burst: Burst): void {
    if (burst.isTooMuch(this.#options.clock.monotonicMs())) this.#end()
  }

  #end(): void {
    if (this.#session.destroyed) return
    const why = new FlotillaError(
      'resource_exhausted',
      'The client makes work, or leaves its answers unread.',
    )
    this.#session.destroy(why, constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }

  #lookAtUnread(nowMs: number, unreadMs: number): void {
    const unread = [...this.#turns].filter((turn) => nowMs - turn.look(nowMs, unreadMs) >= unreadMs)
    if (unread.length === 0) return
    if (unread.length === this.#turns.size) this.#end()
    else for (const turn of unread) turn.cut(constants.NGHTTP2_CANCEL)
  }
}
