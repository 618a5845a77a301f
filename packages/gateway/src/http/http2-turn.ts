/**
 * A request that came as a stream of HTTP/2, and how its answer goes back.
 *
 * @module
 */
import { constants, type ServerHttp2Stream } from 'node:http2'
import { type Readable, Writable } from 'node:stream'
import type { FlotillaError } from '@flotilla/core/error'
import type { HeadRefusal } from '../match/head-fields.ts'
import type { RequestHead } from '../match/request-head.ts'
import type { StreamHead } from '../match/stream-head.ts'
import type { AnswerHeads } from './answer-head.ts'
import { type BodyReceiver, streamedBody, wholeBody } from './body-receiver.ts'
import { hungUp, late, tooLong } from './body-refusals.ts'
import type { Peer } from './tls-front.ts'
import { NO_BODY, type Turn } from './turn.ts'

/** What the connection does for its streams. */
export interface StreamCarrier {
  readonly heads: AnswerHeads
  readonly peer: Peer
  readonly remoteAddress: string
}

/** Answers go out in pieces of so many bytes, so that it can be seen whether they are read. */
const PIECE_BYTES = 64 * 1024

/** A request, and the place of its answer. */
export class Http2Turn implements Turn {
  readonly method: string
  readonly target: string
  readonly head: RequestHead | HeadRefusal
  readonly #carrier: StreamCarrier
  readonly #stream: ServerHttp2Stream
  readonly #startMs: number
  #isBodyRead: boolean
  #failBody: ((error: FlotillaError) => void) | undefined
  #streamed: StreamedAnswer | undefined
  /** Grows with what is taken of the answer. */
  #pieces = 0
  #piecesSeen = 0
  #waitsSinceMs: number | undefined
  #isCut = false
  keepsConnection = true
  onHangUp: (() => void) | undefined
  isAnswered = false
  isOver = false

  constructor(
    carrier: StreamCarrier,
    stream: ServerHttp2Stream,
    { method, target, head }: StreamHead,
    nowMs: number,
  ) {
    this.method = method
    this.target = target
    this.head = head
    this.#carrier = carrier
    this.#stream = stream
    this.#startMs = nowMs
    this.#isBodyRead = stream.endAfterHeaders
    stream.on('error', () => {
      // 'close' follows.
    })
    // Told before anything that could be taken for the end of a body.
    stream.on('aborted', () => this.#hungUp())
    stream.on('close', () => this.#hungUp())
    stream.on('finish', () => {
      this.#pieces++
      // Nobody waits for the rest of the request.
      if (!this.#isBodyRead) this.cut(constants.NGHTTP2_NO_ERROR)
    })
  }

  get peer(): Peer {
    return this.#carrier.peer
  }

  get remoteAddress(): string {
    return this.#carrier.remoteAddress
  }

  /** True when nothing of the request is still to come. */
  get isBodyRead(): boolean {
    return this.#isBodyRead
  }

  /** True when it was us who ended it before its time. */
  get isCut(): boolean {
    return this.#isCut
  }

  readBody(bytesMax: number): Promise<Buffer> {
    return wholeBody(bytesMax, (receiver) => this.#receiveBody(receiver))
  }

  streamBody(bytesMax: number): Readable {
    return streamedBody(
      bytesMax,
      (receiver) => this.#receiveBody(receiver),
      () => void this.#stream.resume(),
    )
  }

  #receiveBody(receiver: BodyReceiver): void {
    const stream = this.#stream
    if (this.#isGone) return receiver.fail(hungUp())
    const { expectsContinue, hasBody } = this.head as RequestHead
    if (!hasBody) return receiver.done()
    if (expectsContinue) stream.additionalHeaders({ ':status': 100 })
    let length = 0
    this.#failBody = (error) => {
      this.#failBody = undefined
      stream.pause()
      receiver.fail(error)
    }
    stream.on('data', (part: Buffer) => {
      length += part.length
      if (length > receiver.bytesMax) this.#failBody?.(tooLong(receiver.bytesMax))
      else if (this.#failBody !== undefined && !receiver.take(part)) stream.pause()
    })
    stream.on('end', () => {
      if (this.#failBody === undefined) return
      this.#isBodyRead = true
      this.#failBody = undefined
      receiver.done()
    })
  }

  answer(status: number, headers: readonly string[], body: string | Uint8Array): void {
    if (this.isOver || this.isAnswered || this.#isGone) return
    const fields = this.#carrier.heads.fields(status, headers)
    this.isAnswered = true
    this.isOver = true
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    const hasNoBody = NO_BODY.has(status)
    if (!hasNoBody) fields['content-length'] = bytes.length
    const isEmpty = hasNoBody || bytes.length === 0 || this.method === 'HEAD'
    this.#stream.respond(fields, { endStream: isEmpty })
    if (!isEmpty) this.#send(bytes, 0)
  }

  stream(status: number, headers: readonly string[], length?: number): Writable {
    const fields = this.#carrier.heads.fields(status, headers)
    if (length !== undefined && !NO_BODY.has(status)) fields['content-length'] = length
    this.isAnswered = true
    if (!this.#isGone) this.#stream.respond(fields)
    this.#streamed = new StreamedAnswer(this.#stream, {
      taken: () => {
        this.#pieces++
      },
      ended: () => {
        this.isOver = true
      },
      cut: () => this.destroy(),
    })
    return this.#streamed
  }

  /** Never: the connection is that of others, too. */
  takeOver(): undefined {
    return undefined
  }

  destroy(): void {
    this.cut(constants.NGHTTP2_INTERNAL_ERROR)
  }

  /** Ends the stream, with one of HTTP/2's error codes. */
  cut(code: number): void {
    if (this.#stream.closed) return
    this.#isCut = true
    this.#stream.close(code)
  }

  /** Looks whether a body is late; returns since when its client takes nothing of the answer. */
  look(nowMs: number, requestMs: number): number {
    if (nowMs - this.#startMs >= requestMs) this.#failBody?.(late())
    const { writableLength, writableEnded } = this.#stream
    const waits = writableLength > 0 || writableEnded
    if (!waits) this.#waitsSinceMs = undefined
    else if (this.#waitsSinceMs === undefined || this.#pieces !== this.#piecesSeen) this.#waitsSinceMs = nowMs
    this.#piecesSeen = this.#pieces
    return this.#waitsSinceMs ?? nowMs
  }

  /** True from when it is reset on, which is told a little later. */
  get #isGone(): boolean {
    return this.#stream.closed || this.#stream.destroyed
  }

  #send(bytes: Uint8Array, start: number): void {
    const end = start + PIECE_BYTES
    if (end >= bytes.length) {
      this.#stream.end(bytes.subarray(start))
      return
    }
    this.#stream.write(bytes.subarray(start, end), (error) => {
      this.#pieces++
      if (!error) this.#send(bytes, end)
    })
  }

  /** The client is gone. */
  #hungUp(): void {
    this.#failBody?.(hungUp())
    if (this.isOver) return
    this.isOver = true
    this.#streamed?.destroy()
    this.onHangUp?.()
  }
}

interface StreamedListener {
  readonly taken: () => void
  readonly ended: () => void
  readonly cut: () => void
}

/** An answer that is sent as it is made. */
class StreamedAnswer extends Writable {
  readonly #stream: ServerHttp2Stream
  readonly #listener: StreamedListener

  constructor(stream: ServerHttp2Stream, listener: StreamedListener) {
    super()
    this.#stream = stream
    this.#listener = listener
    // What it was told is told by the turn, too.
    this.on('error', () => {})
  }

  override _write(part: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#stream.write(part, (error) => {
      this.#listener.taken()
      done(error)
    })
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#stream.end()
    done()
    this.#listener.ended()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // What is left away would be taken for the end.
    if (!this.writableFinished) this.#listener.cut()
    done(error)
  }
}
