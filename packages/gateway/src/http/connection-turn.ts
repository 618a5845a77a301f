/**
 * A request that came over a connection of HTTP/1.1, and how its answer goes back.
 *
 * @module
 */
import type { Socket } from 'node:net'
import { type Readable, Writable } from 'node:stream'
import type { HeadRefusal } from '../match/head-fields.ts'
import type { RequestHead } from '../match/request-head.ts'
import type { AnswerHeads } from './answer-head.ts'
import { type BodyReceiver, streamedBody, wholeBody } from './body-receiver.ts'
import type { RequestLine } from './raw-head.ts'
import type { Peer } from './tls-front.ts'
import { NO_BODY, type Turn } from './turn.ts'

/** Bodies up to here go out together with their head, in one piece. */
const TOGETHER_BYTES_MAX = 16 * 1024
const LAST_CHUNK = '0\r\n\r\n'

/** What the connection does for the request that is on it. */
export interface Carrier {
  readonly socket: Socket
  readonly heads: AnswerHeads
  readonly peer: Peer
  readonly remoteAddress: string
  /** True when another request may come after the answer to this one, which has this status. */
  willKeep(status: number): boolean
  /** Gives the body as it comes, from now on. */
  receiveBody(receiver: BodyReceiver, head: RequestHead): void
  /** Goes on after the receiver had enough for a while. */
  goOn(): void
  /** From now on the socket is somebody else's; gives what was read already. */
  leaveIt(): Buffer
  /** The answer is on its way, whole. */
  answered(keepsConnection: boolean): void
}

/** A request, and the place of its answer. */
export class ConnectionTurn implements Turn {
  readonly method: string
  readonly target: string
  readonly head: RequestHead | HeadRefusal
  readonly #connection: Carrier
  readonly #isChunkable: boolean
  #stream: StreamedAnswer | undefined
  keepsConnection: boolean
  onHangUp: (() => void) | undefined
  isAnswered = false
  isOver = false

  constructor(
    connection: Carrier,
    { method, target, httpVersion }: RequestLine,
    head: RequestHead | HeadRefusal,
  ) {
    this.method = method
    this.target = target
    this.head = head
    this.keepsConnection = 'why' in head ? false : head.keepsConnection
    this.#connection = connection
    this.#isChunkable = httpVersion === '1.1'
  }

  get peer(): Peer {
    return this.#connection.peer
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress
  }

  readBody(bytesMax: number): Promise<Buffer> {
    return wholeBody(bytesMax, (receiver) => this.#receiveBody(receiver))
  }

  streamBody(bytesMax: number): Readable {
    return streamedBody(
      bytesMax,
      (receiver) => this.#receiveBody(receiver),
      () => this.#connection.goOn(),
    )
  }

  #receiveBody(receiver: BodyReceiver): void {
    this.#connection.receiveBody(receiver, this.head as RequestHead)
  }

  answer(status: number, headers: readonly string[], body: string | Uint8Array): void {
    if (this.isOver || this.isAnswered) return
    const connection = this.#connection
    const { socket } = connection
    this.keepsConnection &&= connection.willKeep(status)
    const length = Buffer.byteLength(body)
    const hasNoBody = NO_BODY.has(status)
    const head = this.#headOf(status, headers, hasNoBody ? '' : `content-length: ${length}\r\n`)
    this.isAnswered = true
    this.isOver = true
    if (length === 0 || this.method === 'HEAD' || hasNoBody) socket.write(head, 'latin1')
    else if (length > TOGETHER_BYTES_MAX) {
      socket.cork()
      socket.write(head, 'latin1')
      socket.write(body)
      socket.uncork()
    } else socket.write(head + latin1(body), 'latin1')
    connection.answered(this.keepsConnection)
  }

  stream(status: number, headers: readonly string[], length?: number): Writable {
    const connection = this.#connection
    const { socket } = connection
    const hasBody = this.method !== 'HEAD' && !NO_BODY.has(status)
    // A client of HTTP/1.0 knows the end of the answer by that of the connection.
    const isChunked = hasBody && this.#isChunkable && length === undefined
    const hasEnd = isChunked || !hasBody || length !== undefined
    this.keepsConnection &&= hasEnd && connection.willKeep(status)
    const told = length === undefined || NO_BODY.has(status) ? '' : `content-length: ${length}\r\n`
    const head = this.#headOf(status, headers, isChunked ? 'transfer-encoding: chunked\r\n' : told)
    this.isAnswered = true
    socket.write(head, 'latin1')
    const stream = new StreamedAnswer(socket, isChunked, hasBody ? length : 0, () => {
      if (this.isOver) return
      this.isOver = true
      connection.answered(this.keepsConnection)
    })
    this.#stream = stream
    return stream
  }

  takeOver(): { readonly socket: Socket; readonly read: Buffer } {
    this.isAnswered = true
    this.isOver = true
    return { socket: this.#connection.socket, read: this.#connection.leaveIt() }
  }

  /** Throws where a header cannot be sent; then there is still no answer. */
  #headOf(status: number, headers: readonly string[], framing: string): string {
    // Who speaks HTTP/1.0 wants to be told that it stays.
    const kept = this.#isChunkable ? '' : 'connection: keep-alive\r\n'
    const connection = this.keepsConnection ? kept : 'connection: close\r\n'
    return this.#connection.heads.text(status, headers, framing + connection)
  }

  destroy(): void {
    this.#connection.socket.destroy()
  }

  /** The client is gone. */
  hungUp(): void {
    if (this.isOver) return
    this.isOver = true
    this.#stream?.destroy()
    this.onHangUp?.()
  }
}

/** The same bytes as text: head and body then are one piece, which costs a third of two. */
function latin1(body: string | Uint8Array): string {
  const bytes =
    typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return bytes.toString('latin1')
}

/** An answer that is sent as it is made. */
class StreamedAnswer extends Writable {
  readonly #socket: Socket
  readonly #isChunked: boolean
  /** Bytes that were promised; undefined: no number was. */
  #left: number | undefined
  readonly #onEnd: () => void

  constructor(socket: Socket, isChunked: boolean, length: number | undefined, onEnd: () => void) {
    super()
    this.#socket = socket
    this.#isChunked = isChunked
    this.#left = length
    this.#onEnd = onEnd
    // What it was told is told by the turn, too.
    this.on('error', () => {})
  }

  override _write(part: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#left !== undefined) {
      this.#left -= part.length
      if (this.#left < 0) return done(new Error('The answer is longer than it was said to be.'))
    }
    if (!this.#isChunked) this.#socket.write(part, done)
    // An empty chunk would be the last.
    else if (part.length === 0) done()
    else {
      this.#socket.cork()
      this.#socket.write(`${part.length.toString(16)}\r\n`, 'latin1')
      this.#socket.write(part)
      this.#socket.write('\r\n', 'latin1', done)
      this.#socket.uncork()
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#left) return done(new Error('The answer is shorter than it was said to be.'))
    if (this.#isChunked) this.#socket.write(LAST_CHUNK, 'latin1')
    done()
    this.#onEnd()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // What is left away would be taken for the end.
    if (!this.writableFinished) this.#socket.destroy()
    done(error)
  }
}
