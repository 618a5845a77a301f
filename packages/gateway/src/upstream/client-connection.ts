/**
 * One connection of HTTP/1.1 to a foreign server, and the requests on it one after the other.
 *
 * Its phases:
 *
 * - `opening`: with the request that it is opened for. Ends after two seconds.
 * - `idle`: nothing is asked. Ends before the server would, and with whatever comes: nobody would know whom it is for.
 * - `head`: a request is on its way, and nothing of its answer has come but what only announces one. Ends after the upstream's time,
 *   counted from what was sent last; for a client that is slow to send its request, others have a time.
 * - `body`: the answer comes; ends after the upstream's time without any of it, as long as somebody takes it.
 * - `closed`, or taken: another protocol is spoken on the socket, by somebody else.
 *
 * An answer that is whole leads back to `idle`, where server and request allow it: the request was sent whole, the answer ended exactly where
 * the bytes did, and neither said that it closes. After anything that is not understood the connection ends.
 *
 * @source RFC 9112, 6.3 (where an answer ends) and 9
 * @module
 */
import type { Socket } from 'node:net'
import type { Clock } from '@flotilla/core/clock'
import { isFlotillaError } from '@flotilla/core/error'
import { Timed, type TimerWheel } from '@flotilla/core/timer-wheel'
import { type BodyReader, ChunkedReader, LengthReader } from '../http/body-reader.ts'
import type { Dial } from './dial.ts'
import { type ForeignHead, isHopelessHead, readForeignHead } from './foreign-head.ts'
import type { Outgoing, Place } from './outgoing.ts'
import { Upload } from './upload.ts'

/** Who has connections. */
export interface ConnectionOwner {
  /** It is free for the next request. */
  freed(connection: ClientConnection): void
  /** It is gone, or no longer one for requests. */
  gone(connection: ClientConnection): void
}

/** What connections to a server share. */
export interface ClientOptions {
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly dial: Dial
  /** Milliseconds until the head of an answer, and between its parts. */
  readonly timeoutMs: number
}

const CONNECT_MS = 2_000
/** Where the server does not say how long it waits. The shortest that is usual is five seconds. */
const KEEP_MS = 4_000
const KEEP_MS_MAX = 60_000
/** A request that sets out so long before the server would close still finds it there. */
const KEEP_MARGIN_MS = 1_000
const HEAD_BYTES_MAX = 16 * 1024
/** Heads that only announce an answer. */
const INTERIM_MAX = 8
const END_OF_HEAD = Buffer.from('\r\n\r\n')
const NO_BODY = new Set([204, 304])

/** A connection. */
export class ClientConnection extends Timed implements Place {
  readonly #owner: ConnectionOwner
  readonly #options: ClientOptions
  readonly #socket: Socket
  #phase: 'opening' | 'idle' | 'head' | 'body' | 'closed' = 'opening'
  #outgoing: Outgoing | undefined
  #upload: Upload | undefined
  /** What has come of a head. */
  #unread: Buffer | undefined
  #interim = 0
  #head: ForeignHead | undefined
  /** Undefined: the body ends with the connection. */
  #reader: BodyReader | undefined

  constructor(owner: ConnectionOwner, options: ClientOptions, outgoing: Outgoing) {
    super()
    this.#owner = owner
    this.#options = options
    this.#outgoing = outgoing
    outgoing.place = this
    this.#socket = options.dial(() => this.#opened())
    this.#socket.on('data', (bytes) => this.#push(bytes))
    this.#socket.on('drain', () => this.#upload?.drained())
    this.#socket.on('end', () => this.#ended())
    this.#socket.on('error', (cause) => this.#fail(cause))
    this.#socket.on('close', () => this.#fail(new Error('The connection is gone.')))
    this.#wait(CONNECT_MS)
  }

  /** False when it ended a moment ago, which is told a little later. */
  get isUsable(): boolean {
    return this.#phase === 'idle' && !this.#socket.destroyed
  }

  /** Makes a request; only while idle. */
  ask(outgoing: Outgoing): void {
    outgoing.place = this
    this.#outgoing = outgoing
    this.#phase = 'head'
    this.#interim = 0
    this.#wait(this.#options.timeoutMs)
    const { body, bodyBytes, text } = outgoing
    if (body === undefined) {
      this.#socket.write(text, 'latin1')
      return
    }
    this.#upload = new Upload({
      socket: this.#socket,
      body,
      bytes: bodyBytes,
      onProgress: () => {
        if (this.#phase === 'head') this.#wait(this.#options.timeoutMs)
      },
      onFail: (cause) => this.#fail(cause),
    })
    this.#upload.start(text)
  }

  /** Ends it. */
  close(): void {
    if (this.#phase === 'closed') return
    this.#leave()
    this.#socket.destroy()
    this.#owner.gone(this)
  }

  /** Ends it, and what is on it. */
  destroy(): void {
    this.#fail(new Error('The gateway leaves.'))
  }

  drop(): void {
    this.close()
  }

  resume(): void {
    if (this.#phase !== 'body' || !this.#socket.isPaused()) return
    this.#socket.resume()
    this.#wait(this.#options.timeoutMs)
  }

  override expire(): void {
    if (this.#phase === 'idle') return this.close()
    const { timeoutMs } = this.#options
    const isClientSlow = this.#upload?.isSent === false && !this.#socket.writableNeedDrain
    if (this.#phase === 'head' && isClientSlow) return this.#wait(timeoutMs)
    if (this.#phase === 'body' && this.#socket.isPaused()) return
    this.#fail(new Error(`Nothing has come in time (${this.#phase}).`))
  }

  #opened(): void {
    if (this.#phase !== 'opening') return
    this.#phase = 'idle'
    this.ask(this.#outgoing as Outgoing)
  }

  #push(bytes: Buffer): void {
    if (this.#phase === 'body') this.#readBody(bytes, 0)
    else if (this.#phase !== 'head') this.#fail(new Error('Something has come that nobody asked for.'))
    else this.#readHead(this.#unread === undefined ? bytes : Buffer.concat([this.#unread, bytes]))
  }

  #readHead(bytes: Buffer): void {
    let at = 0
    for (;;) {
      const end = bytes.indexOf(END_OF_HEAD, at)
      if (end - at > HEAD_BYTES_MAX) return this.#fail(badAnswer('has too long a head'))
      if (end < 0) return this.#keepUnread(bytes.subarray(at))
      const head = readForeignHead(bytes.toString('latin1', at, end))
      at = end + END_OF_HEAD.length
      if ('why' in head) return this.#fail(badAnswer(head.why))
      if (head.status === 101) return this.#switched(head, bytes.subarray(at))
      if (head.status >= 200) return this.#begun(head, bytes, at)
      if (++this.#interim > INTERIM_MAX) return this.#fail(badAnswer('announces too much'))
    }
  }

  #keepUnread(bytes: Buffer): void {
    if (bytes.length > HEAD_BYTES_MAX) this.#fail(badAnswer('has too long a head'))
    else if (isHopelessHead(bytes.toString('latin1'))) this.#fail(badAnswer('has a head that is none'))
    else this.#unread = bytes.length === 0 ? undefined : bytes
  }

  #begun(head: ForeignHead, bytes: Buffer, start: number): void {
    const outgoing = this.#outgoing as Outgoing
    this.#phase = 'body'
    this.#unread = undefined
    this.#head = head
    this.#reader = readerOf(outgoing.method, head)
    try {
      outgoing.head(head)
    } catch (error) {
      return this.#fail(error as Error)
    }
    this.#readBody(bytes, start)
  }

  #readBody(bytes: Buffer, start: number): void {
    const reader = this.#reader
    let stopped = bytes.length
    try {
      if (reader !== undefined) stopped = reader.read(bytes, start, this.#give)
      else if (start < bytes.length) this.#give(bytes.subarray(start))
    } catch (error) {
      return this.#fail(isFlotillaError(error) ? badAnswer('has chunks that are none') : (error as Error))
    }
    // Whoever took a part may have had enough of all.
    if (this.#phase !== 'body') return
    if (reader?.isComplete) this.#answered(stopped === bytes.length)
    else this.#wait(this.#options.timeoutMs)
  }

  readonly #give = (part: Buffer): void => {
    if (this.#outgoing?.part(part) === false) this.#socket.pause()
  }

  /** The answer is whole; `isExact`: and nothing follows it. */
  #answered(isExact: boolean): void {
    const outgoing = this.#outgoing as Outgoing
    const { keepsConnection, keepMs } = this.#head as ForeignHead
    const isSent = this.#upload?.isSent !== false && this.#socket.writableLength === 0
    const idleMs = keepMs === undefined ? KEEP_MS : Math.min(keepMs - KEEP_MARGIN_MS, KEEP_MS_MAX)
    this.#forget()
    if (keepsConnection && isExact && isSent && idleMs > 0 && !this.#socket.destroyed) {
      this.#phase = 'idle'
      this.#wait(idleMs)
      if (this.#socket.isPaused()) this.#socket.resume()
      this.#owner.freed(this)
    } else this.close()
    try {
      outgoing.end()
    } catch (error) {
      outgoing.fail(error as Error)
    }
  }

  /** The socket is for another protocol now, if that is what was asked for. */
  #switched(head: ForeignHead, read: Buffer): void {
    const outgoing = this.#outgoing as Outgoing
    if (!outgoing.wantsSocket || head.upgrade !== 'websocket')
      return this.#fail(badAnswer('goes on with a protocol that nobody asked for'))
    this.#leave()
    this.#owner.gone(this)
    this.#socket.pause()
    this.#socket.removeAllListeners('data').removeAllListeners('drain')
    outgoing.opened(head, this.#socket, read)
  }

  /** The server sends no more. */
  #ended(): void {
    if (this.#phase === 'body' && this.#reader === undefined) this.#answered(false)
    else this.#fail(new Error('The server has closed the connection.'))
  }

  #fail(cause: Error): void {
    const outgoing = this.#outgoing
    this.close()
    outgoing?.fail(cause)
  }

  #leave(): void {
    this.#phase = 'closed'
    this.#options.wheel.remove(this)
    this.#forget()
  }

  /** The request that was on it is its business no more. */
  #forget(): void {
    if (this.#outgoing !== undefined) this.#outgoing.place = undefined
    this.#outgoing = undefined
    this.#upload?.stop()
    this.#upload = undefined
    this.#unread = undefined
    this.#head = undefined
    this.#reader = undefined
  }

  #wait(ms: number): void {
    const { clock, wheel } = this.#options
    const nowMs = clock.monotonicMs()
    wheel.add(this, nowMs + ms, nowMs)
  }
}

function readerOf(method: string, { status, contentLength, isChunked }: ForeignHead): BodyReader | undefined {
  if (method === 'HEAD' || NO_BODY.has(status)) return new LengthReader(0)
  if (isChunked) return new ChunkedReader()
  return contentLength === undefined ? undefined : new LengthReader(contentLength)
}

function badAnswer(why: string): Error {
  return new Error(`The answer ${why}.`)
}
