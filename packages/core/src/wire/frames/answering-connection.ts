/**
 * The answering side of one frames connection: greets, hands calls to a receiver, writes replies.
 *
 * @module
 */
import type { Socket } from 'node:net'
import type { Operation } from '../../contract/operation.ts'
import type { Caller } from '../../kernel/caller.ts'
import { Cancellation } from '../../kernel/cancellation.ts'
import type { Clock, Timer } from '../../kernel/clock.ts'
import { FlotillaError, isFlotillaError } from '../../kernel/error.ts'
import { NumberMap } from '../../kernel/number-map.ts'
import type { Trust } from '../trust.ts'
import type { CallRequest, Receiver, Reply } from '../wire.ts'
import { callBodyStart, readCall, readCallNumbers } from './call-frame.ts'
import { type Encoding, jsonEncoding, openEncoding } from './encoding.ts'
import {
  type FrameLimits,
  frameLimits,
  kinds,
  PROTOCOL_VERSION,
  protocolError,
  REPLY_HEAD_BYTES,
  replyFlags,
} from './format.ts'
import { FrameReader } from './frame-reader.ts'
import { FrameWriter, readUint32 } from './frame-writer.ts'
import { chooseEncoding, type Hello, readHello, sendWelcome } from './greeting.ts'
import { Introduced } from './introductions.ts'
import { Liveness } from './liveness.ts'
import { StreamCredit } from './stream-credit.ts'

/** What a connection needs. */
export interface AnsweringOptions {
  readonly clock: Clock
  readonly receiver: Receiver
  readonly trust: Trust
  /** The name given to callers, for their logs. */
  readonly instance: string
  readonly limits?: Partial<FrameLimits>
  /** Told of peers that broke the protocol. */
  readonly onPeerError?: (error: FlotillaError) => void
}

/** Time a caller has to say HELLO, and one that broke the protocol to take the last frame. */
const PATIENCE_MS = 5_000

/** One caller's connection. */
export class AnsweringConnection {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #receiver: Receiver
  /** As announced in the WELCOME; calls name them by index. */
  readonly #operations: readonly Operation[]
  readonly #trust: Trust
  readonly #instance: string
  readonly #limits: FrameLimits
  readonly #writer: FrameWriter
  readonly #reader: FrameReader
  readonly #liveness: Liveness
  readonly #onPeerError: ((error: FlotillaError) => void) | undefined
  /** Calls and streams being answered. */
  readonly #running = new NumberMap<Cancellation>()
  readonly #streams = new Map<number, StreamCredit>()
  #encoding: Encoding = openEncoding('json')
  /** Who calls; undefined before the HELLO. */
  #introduced: Introduced | undefined
  #frameBytesMax: number
  /** Runs while the caller must say HELLO, and once it broke the protocol. */
  #patience: Timer
  #hasPeerSaidGoodbye = false
  /** When the chunk being read came. */
  #arrivedMs = 0

  constructor(socket: Socket, options: AnsweringOptions) {
    this.#socket = socket
    this.#clock = options.clock
    this.#receiver = options.receiver
    this.#operations = options.receiver.operations
    this.#trust = options.trust
    this.#instance = options.instance
    this.#onPeerError = options.onPeerError
    this.#limits = { ...frameLimits, ...options.limits }
    this.#frameBytesMax = this.#limits.frameBytesMax
    this.#writer = new FrameWriter(socket)
    this.#reader = new FrameReader(this.#limits.frameBytesMax, (frame) => this.#receive(frame))
    this.#liveness = new Liveness(
      this.#clock,
      this.#limits.pingMs,
      () => this.#writer.send(kinds.ping),
      () => socket.destroy(),
    )
    this.#patience = this.#clock.schedule(PATIENCE_MS, () => socket.destroy())
    socket.on('data', (chunk: Buffer) => this.#push(chunk))
    socket.on('drain', () => this.#drained())
    socket.on('error', () => {
      // 'close' follows.
    })
    socket.on('close', () => this.#closed())
  }

  get inFlight(): number {
    return this.#running.size
  }

  /** Announces the end. Calls may finish; streams would go on for ever, so they are ended for the caller to open elsewhere. */
  sayGoodbye(): void {
    this.#writer.send(kinds.goodbye)
    const moved = new FlotillaError('unavailable', 'The instance is going away.')
    for (const { cancellation } of this.#streams.values()) cancellation.cancel(moved)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #push(chunk: Buffer): void {
    this.#liveness.heard()
    this.#arrivedMs = this.#clock.monotonicMs()
    try {
      this.#reader.push(chunk)
    } catch (caught) {
      const error = isFlotillaError(caught) ? caught : protocolError('a frame that cannot be read', caught)
      return this.#break(error)
    }
    // A caller that does not take its answers gets no more of them: its new calls stay in its own buffers.
    if (this.#isFull) this.#socket.pause()
  }

  get #isFull(): boolean {
    return this.#writer.unsentBytes > this.#limits.unsentBytesMax
  }

  #drained(): void {
    this.#socket.resume()
    for (const stream of this.#streams.values()) stream.wake()
  }

  /** The caller broke the protocol: it is told why, and nothing more of it is read. */
  #break(error: FlotillaError): void {
    this.#onPeerError?.(error)
    this.#sendError(0, error)
    this.#writer.flush()
    this.#socket.removeAllListeners('data').pause()
    this.#socket.destroySoon()
    this.#patience.cancel()
    this.#patience = this.#clock.schedule(PATIENCE_MS, () => this.#socket.destroy())
  }

  #receive(frame: Buffer): void {
    if (this.#introduced === undefined && frame[4] !== kinds.hello)
      throw protocolError('a frame before its HELLO')
    switch (frame[4]) {
      case kinds.call:
        return this.#called(frame)
      case kinds.cancel:
        return this.#running
          .get(readUint32(frame, 8))
          ?.cancel(new FlotillaError('canceled', 'The caller gave up.'))
      case kinds.credit:
        return this.#creditArrived(frame)
      case kinds.principal:
        return this.#introduced?.introduce(frame)
      case kinds.ping:
        return this.#writer.send(kinds.pong)
      case kinds.pong:
        return
      case kinds.goodbye:
        this.#hasPeerSaidGoodbye = true
        return this.#endIfIdle()
      case kinds.hello:
        return this.#greeted(readHello(frame))
      default:
        throw protocolError(`a frame of kind ${frame[4]}`)
    }
  }

  #greeted(hello: Hello): void {
    if (this.#introduced !== undefined) throw protocolError('a second HELLO')
    const encoding = chooseEncoding(hello)
    const claims = hello.credential === undefined ? undefined : this.#trust.process(hello.credential)
    this.#introduced = new Introduced(this.#trust, claims, hello.callers)
    this.#patience.cancel()
    this.#frameBytesMax = Math.min(hello.frameBytesMax ?? this.#frameBytesMax, this.#frameBytesMax)
    sendWelcome(this.#writer, {
      version: PROTOCOL_VERSION,
      encoding,
      instance: this.#instance,
      operations: this.#operations.map((operation) => operation.id),
      frameBytesMax: this.#limits.frameBytesMax,
      inFlightMax: this.#limits.inFlightMax,
    })
    this.#encoding = openEncoding(encoding)
  }

  #called(frame: Buffer): void {
    const numbers = readCallNumbers(frame)
    const { call: id } = numbers
    // Decoded before anything can refuse the call: the encoding may learn from every body.
    const input = this.#encoding.decode(frame, callBodyStart(frame))
    if (this.#running.has(id) || id === 0) throw protocolError(`call ${id} twice`)
    const operation = this.#operations[numbers.operation]
    if (operation === undefined) throw protocolError('a call of an operation that was not announced')
    if (this.#running.size >= this.#limits.inFlightMax) {
      const message = 'Too many calls on their way.'
      return this.#sendError(id, new FlotillaError('unavailable', message, { executed: 'no' }))
    }
    let caller: Caller
    try {
      caller = (this.#introduced as Introduced).caller(numbers.principal, numbers.caller)
    } catch (error) {
      return this.#sendError(id, error as FlotillaError)
    }
    const credit = numbers.credit === undefined ? undefined : new StreamCredit(numbers.credit)
    const cancellation = credit?.cancellation ?? new Cancellation()
    this.#running.set(id, cancellation)
    const request = readCall(frame, operation, input, caller, this.#arrivedMs, cancellation)
    if (credit === undefined)
      this.#receiver.call(request, (reply) => this.#answer(id, reply, request.wantsJson))
    else void this.#answerStream(id, credit, request)
  }

  #answer(id: number, reply: Reply, wantsJson: boolean): void {
    this.#running.delete(id)
    if (this.#socket.destroyed) return
    const flags = reply.isReplayed ? replyFlags.isReplayed : 0
    if (reply.error === undefined) this.#sendReply(id, reply, flags, wantsJson)
    else this.#sendError(id, reply.error, flags)
    if (this.#hasPeerSaidGoodbye) this.#endIfIdle()
  }

  async #answerStream(id: number, credit: StreamCredit, request: CallRequest): Promise<void> {
    const { cancellation } = credit
    this.#streams.set(id, credit)
    try {
      for await (const item of this.#receiver.stream(request)) {
        while (cancellation.error === undefined && (this.#isFull || !credit.tryTake())) await credit.wait()
        cancellation.throwIfCanceled()
        this.#sendValue(kinds.item, id, item)
      }
      cancellation.throwIfCanceled()
      this.#writer.send(kinds.end, id)
    } catch (error) {
      this.#sendError(id, error as FlotillaError)
    }
    this.#running.delete(id)
    this.#streams.delete(id)
    if (this.#hasPeerSaidGoodbye) this.#endIfIdle()
  }

  #creditArrived(frame: Buffer): void {
    if (frame.length < REPLY_HEAD_BYTES + 4) throw protocolError('a CREDIT without a number')
    this.#streams.get(readUint32(frame, 8))?.give(readUint32(frame, REPLY_HEAD_BYTES))
  }

  #sendReply(id: number, reply: Reply, flags: number, wantsJson: boolean): void {
    try {
      // A caller that only passes it on is spared to read it and to write it again.
      if (wantsJson) this.#sendValue(kinds.reply, id, reply.output, flags | replyFlags.isJson, jsonEncoding)
      else this.#sendValue(kinds.reply, id, reply.output, flags)
    } catch (error) {
      this.#sendError(id, error as FlotillaError, flags)
    }
  }

  /** @throws FlotillaError `internal`, nothing sent, when it is too long or cannot be encoded. */
  #sendValue(kind: number, id: number, value: unknown, flags = 0, encoding = this.#encoding): void {
    const start = this.#writer.beginFor(kind, id, flags)
    try {
      encoding.encode(value, this.#writer)
      this.#writer.end(start, this.#frameBytesMax)
    } catch (cause) {
      this.#writer.discard(start)
      encoding.forget()
      throw new FlotillaError('internal', 'The answer is too long or cannot be encoded.', { cause })
    }
  }

  #sendError(id: number, error: FlotillaError, flags = 0): void {
    if (this.#socket.destroyed) return
    const start = this.#writer.beginFor(kinds.error, id, flags)
    try {
      this.#writer.append(Buffer.from(JSON.stringify(error.toBody())))
      this.#writer.end(start, this.#frameBytesMax)
    } catch {
      // What belongs to the error is too long or cannot be encoded: the caller learns this instead.
      this.#writer.discard(start)
      this.#sendError(id, new FlotillaError('internal', 'The error is too long or cannot be encoded.'), flags)
    }
  }

  #endIfIdle(): void {
    if (this.#running.size > 0) return
    this.#writer.flush()
    this.#socket.end()
  }

  #closed(): void {
    this.#liveness.stop()
    this.#patience.cancel()
    const error = new FlotillaError('canceled', 'The connection of the caller broke.')
    for (const cancellation of this.#running.values()) cancellation.cancel(error)
    this.#running.clear()
  }
}
