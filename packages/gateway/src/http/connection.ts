/**
 * One connection of HTTP/1.1, and the requests on it one after the other.
 *
 * Its phases:
 *
 * - `idle`: nothing of a request has come. Ends after the head's time on a new connection (408), after the keep-alive time on others.
 * - `head`: a part of a head has come. Ends after the head's time (408).
 * - `turn`: a request is being answered; its body is read when it is asked for, within the request's time (408). What comes behind it
 *   waits unread: a command must not overtake another (RFC 9112, 9.3.2).
 * - `taken`: another protocol is spoken on it, by somebody else.
 * - `lingering`: the last answer is sent, and what still comes is dropped: to close at once would reset the connection, and with it
 *   the answer that is on its way.
 * - `closed`.
 *
 * After anything that is not understood the connection ends: nobody knows where the next request would begin. It also ends after a
 * refusal that the client has not waited for.
 *
 * @module
 */
import type { Socket } from 'node:net'
import type { Clock } from '@flotilla/core/clock'
import type { FlotillaError } from '@flotilla/core/error'
import type { HeadRefusal } from '../match/head-fields.ts'
import type { RequestHead } from '../match/request-head.ts'
import type { AnswerHeads } from './answer-head.ts'
import { type BodyReader, ChunkedReader, LengthReader } from './body-reader.ts'
import type { BodyReceiver } from './body-receiver.ts'
import { hungUp, late, tooLong } from './body-refusals.ts'
import { type Carrier, ConnectionTurn } from './connection-turn.ts'
import { HeadReader, type ReadHead } from './head-reader.ts'
import { isHopeless } from './raw-head.ts'
import type { Peer } from './tls-front.ts'
import type { Turn } from './turn.ts'

/** What connections of a server share. */
export interface ConnectionOptions {
  readonly clock: Clock
  readonly heads: AnswerHeads
  /** Milliseconds that a head may take; a body gets three times as many, and so does an answer that is not read. */
  readonly headMs: number
  readonly onTurn: (turn: Turn) => void
  /** The body of an answer to what could not be read as a request. */
  readonly refusalBody: (status: number) => string
  readonly refusalType: string
}

/** A connection, as its server sees it. */
export interface Served {
  /** Looks whether its time is up. */
  look(nowMs: number): void
  /** The server leaves: ends when the requests on it are answered. */
  leave(): void
  /** Cuts requests that are not whole. */
  cutUnasked(): void
}

const HEAD_CHARS_MAX = 16 * 1024
/** What may wait unread behind a request: enough for a good many pipelined ones. */
const BEHIND_BYTES_MAX = 64 * 1024
const REQUESTS_MAX = 1_000
const REFUSED = 400
/** Longer than what clients and proxies in front usually keep, so that it is not us who close under their request. */
export const KEEP_ALIVE_MS = 75_000
/** How long the other end may take to close. */
export const LINGER_MS = 2_000
/** A whole request, and an answer that its client does not read, may take this many times as long as a head. */
export const HEADS_A_REQUEST = 3
const CARRIAGE_RETURN = 13
const LINE_FEED = 10
const END_OF_HEAD = '\r\n\r\n'

type Phase = 'idle' | 'head' | 'turn' | 'taken' | 'lingering' | 'closed'

/** A connection. */
export class Connection implements Carrier, Served {
  readonly socket: Socket
  readonly heads: AnswerHeads
  readonly peer: Peer
  readonly remoteAddress: string
  readonly #options: ConnectionOptions
  readonly #heads = new HeadReader()
  #phase: Phase = 'idle'
  #sinceMs: number
  #requests = 0
  /** What has come and was not read yet. */
  #unread: Buffer | undefined
  #turn: ConnectionTurn | undefined
  #body: BodyReader | undefined
  #receiver: BodyReceiver | undefined
  #receivedBytes = 0
  #isAdvancing = false
  #isLeaving = false
  #sentBytes = 0
  #unsentSinceMs: number | undefined

  readonly #onData = (chunk: Buffer): void => this.#push(chunk)
  readonly #onDrain = (): void => this.#advance()

  constructor(socket: Socket, peer: Peer, options: ConnectionOptions) {
    this.socket = socket
    this.peer = peer
    this.#options = options
    this.heads = options.heads
    this.remoteAddress = socket.remoteAddress ?? ''
    this.#sinceMs = options.clock.monotonicMs()
    socket.on('data', this.#onData)
    socket.on('error', () => {
      // 'close' follows.
    })
    socket.on('close', () => this.#closed())
    socket.on('drain', this.#onDrain)
  }

  /** Looks whether its time is up. */
  look(nowMs: number): void {
    this.#lookAtUnsent(nowMs)
    const { headMs } = this.#options
    const tookMs = nowMs - this.#sinceMs
    if (this.#phase === 'idle') {
      if (this.#requests > 0) {
        if (tookMs >= KEEP_ALIVE_MS) this.socket.destroy()
      } else if (tookMs >= headMs) this.#refuse(408)
    } else if (this.#phase === 'head') {
      if (tookMs >= headMs) this.#refuse(408)
    } else if (this.#phase === 'turn') {
      if (this.#receiver !== undefined && tookMs >= HEADS_A_REQUEST * headMs) this.#failBody(late())
    } else if (this.#phase === 'lingering' && tookMs >= LINGER_MS) this.socket.destroy()
  }

  /** The server leaves: ends now when nothing of a request has come, otherwise after its answer. */
  leave(): void {
    this.#isLeaving = true
    if (this.#phase === 'idle') this.#linger()
  }

  /** Cuts it when a request on it is not whole. */
  cutUnasked(): void {
    if (this.#phase !== 'turn' || !this.isBodyRead) this.socket.destroy()
  }

  /** True when nothing of the present request is still to come. */
  get isBodyRead(): boolean {
    return this.#body === undefined || this.#body.isComplete
  }

  willKeep(status: number): boolean {
    // Whoever still receives a body would wait for the rest of it.
    const isRead = this.#receiver === undefined && this.#skipBody()
    // To be refused in bulk would cost us hundreds of times what it costs who writes so.
    const isHeard = status < REFUSED || this.#unread === undefined
    return isRead && isHeard && !this.#isLeaving && this.#requests < REQUESTS_MAX
  }

  receiveBody(receiver: BodyReceiver, head: RequestHead): void {
    if (this.#phase === 'closed') return receiver.fail(hungUp())
    if (head.expectsContinue && head.hasBody) this.socket.write('HTTP/1.1 100 Continue\r\n\r\n', 'latin1')
    this.#receiver = receiver
    this.#receivedBytes = 0
    this.goOn()
  }

  goOn(): void {
    this.socket.resume()
    if (this.#receiver !== undefined) this.#readBody(this.#receiver)
  }

  answered(keepsConnection: boolean): void {
    this.#turn = undefined
    this.#receiver = undefined
    this.#body = undefined
    if (!keepsConnection) return this.#linger()
    this.#phase = 'idle'
    this.#sinceMs = this.#options.clock.monotonicMs()
    this.#advance()
  }

  leaveIt(): Buffer {
    const unread = this.#unread ?? Buffer.alloc(0)
    this.#phase = 'taken'
    this.#unread = undefined
    this.#turn = undefined
    this.socket.off('data', this.#onData).off('drain', this.#onDrain)
    return unread
  }

  #push(chunk: Buffer): void {
    if (this.#phase === 'lingering') return
    this.#unread = this.#unread === undefined ? chunk : Buffer.concat([this.#unread, chunk])
    if (this.#phase !== 'turn') this.#advance()
    else if (this.#receiver !== undefined) this.#readBody(this.#receiver)
    if (this.#unread !== undefined && this.#unread.length > BEHIND_BYTES_MAX) this.socket.pause()
  }

  /** Takes requests while there are whole ones, none is being answered, and the answers to those before are read. */
  #advance(): void {
    // An answer that is given at once comes back here.
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    while (this.#unread !== undefined && this.#isFree()) {
      if (!this.#takeHead(this.#unread)) break
    }
    this.#isAdvancing = false
    if (this.socket.isPaused() && this.#isFree()) this.socket.resume()
  }

  #isFree(): boolean {
    return (this.#phase === 'idle' || this.#phase === 'head') && !this.socket.writableNeedDrain
  }

  /** False when there is no whole head. */
  #takeHead(unread: Buffer): boolean {
    const start = skipEmptyLines(unread)
    if (start === unread.length) {
      this.#unread = undefined
      return false
    }
    // More than the longest head is not looked at.
    const text = unread.toString(
      'latin1',
      start,
      Math.min(unread.length, start + HEAD_CHARS_MAX + END_OF_HEAD.length),
    )
    const end = text.indexOf(END_OF_HEAD)
    if (end < 0) {
      this.#beginHead()
      if (text.length > HEAD_CHARS_MAX) this.#refuse(431)
      // A CR may be half of an empty line.
      else if (text !== '\r' && isHopeless(text)) this.#refuse(400)
      return false
    }
    const read = this.#heads.read(text.slice(0, end))
    if (read === undefined) {
      this.#refuse(400)
      return false
    }
    this.#beginHead()
    const next = start + end + END_OF_HEAD.length
    this.#unread = next === unread.length ? undefined : unread.subarray(next)
    this.#begin(read)
    return true
  }

  #beginHead(): void {
    if (this.#phase !== 'idle') return
    this.#phase = 'head'
    // The first request of a connection may take as long from its opening on.
    if (this.#requests > 0) this.#sinceMs = this.#options.clock.monotonicMs()
  }

  #begin({ line, head }: ReadHead): void {
    this.#phase = 'turn'
    this.#requests++
    this.#body = bodyOf(head)
    this.#turn = new ConnectionTurn(this, line, head)
    this.#options.onTurn(this.#turn)
  }

  #readBody(receiver: BodyReceiver): void {
    const body = this.#body
    const unread = this.#unread
    try {
      if (body !== undefined && unread !== undefined) {
        this.#unread = undefined
        const stopped = body.read(unread, 0, (part) => {
          this.#receivedBytes += part.length
          if (this.#receivedBytes > receiver.bytesMax) throw tooLong(receiver.bytesMax)
          if (!receiver.take(part)) this.socket.pause()
        })
        if (stopped < unread.length) this.#unread = unread.subarray(stopped)
      }
    } catch (error) {
      return this.#failBody(error as FlotillaError)
    }
    if (body !== undefined && !body.isComplete) return
    this.#receiver = undefined
    receiver.done()
  }

  #failBody(error: FlotillaError): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    if (this.#turn !== undefined) this.#turn.keepsConnection = false
    this.socket.pause()
    receiver?.fail(error)
  }

  /** Passes over a body that nobody asked for, where all of it has come; false when it has not. */
  #skipBody(): boolean {
    const body = this.#body
    if (body === undefined || body.isComplete) return true
    if (this.#unread === undefined) return false
    try {
      const stopped = body.read(this.#unread, 0, () => {})
      this.#unread = stopped < this.#unread.length ? this.#unread.subarray(stopped) : undefined
      return body.isComplete
    } catch {
      // It was of no interest; what matters is that nothing behind it can be trusted.
      return false
    }
  }

  /** Answers where there is no request to answer. */
  #refuse(status: number): void {
    const { refusalBody, refusalType } = this.#options
    const body = refusalBody(status)
    const framing = `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n`
    this.socket.write(this.heads.text(status, ['content-type', refusalType], framing) + body)
    this.#linger()
  }

  #linger(): void {
    if (this.#phase === 'closed') return
    this.#phase = 'lingering'
    this.#unread = undefined
    this.#sinceMs = this.#options.clock.monotonicMs()
    this.socket.end()
    this.socket.resume()
  }

  #closed(): void {
    this.#phase = 'closed'
    this.#unread = undefined
    this.#failBody(hungUp())
    const turn = this.#turn
    this.#turn = undefined
    turn?.hungUp()
  }

  /** Cuts it when something waits to be read and nothing of it was taken for too long, whatever the client sends meanwhile. */
  #lookAtUnsent(nowMs: number): void {
    const { bytesWritten, writableLength } = this.socket
    const sent = bytesWritten - writableLength
    if (writableLength === 0) this.#unsentSinceMs = undefined
    else if (this.#unsentSinceMs === undefined || sent !== this.#sentBytes) this.#unsentSinceMs = nowMs
    else if (nowMs - this.#unsentSinceMs >= HEADS_A_REQUEST * this.#options.headMs) this.socket.destroy()
    this.#sentBytes = sent
  }
}

/** RFC 9112, 2.2: a server should ignore at least one empty line before a request. */
function skipEmptyLines(bytes: Buffer): number {
  let at = 0
  while (bytes[at] === CARRIAGE_RETURN && bytes[at + 1] === LINE_FEED) at += 2
  return at
}

function bodyOf(head: RequestHead | HeadRefusal): BodyReader | undefined {
  if ('why' in head || !head.hasBody) return undefined
  return head.isChunked ? new ChunkedReader() : new LengthReader(head.contentLength as number)
}
