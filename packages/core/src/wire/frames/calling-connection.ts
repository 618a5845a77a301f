/**
 * The calling side of a frames connection.
 *
 * Its life: connect, HELLO out, WELCOME in (now calls may be sent), any number of calls at once, then GOODBYE from
 * either side: no new calls, those on their way end, the socket closes. A broken socket ends every call as `unavailable`.
 *
 * @module
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../kernel/clock.ts'
import { FlotillaError, isFlotillaError } from '../../kernel/error.ts'
import { NumberMap } from '../../kernel/number-map.ts'
import type { TimerWheel } from '../../kernel/timer-wheel.ts'
import { ItemQueue } from '../item-queue.ts'
import { type CallRequest, type Channel, Reply, type Settle } from '../wire.ts'
import { beginCall } from './call-frame.ts'
import { type Encoding, jsonEncoding, openEncoding } from './encoding.ts'
import {
  type EncodingName,
  encodings,
  type FrameLimits,
  frameLimits,
  hasFlag,
  kinds,
  PROTOCOL_VERSION,
  protocolError,
  REPLY_HEAD_BYTES,
  replyFlags,
} from './format.ts'
import { FrameReader } from './frame-reader.ts'
import { FrameWriter, readUint32 } from './frame-writer.ts'
import { readWelcome, sendHello, type Welcome } from './greeting.ts'
import { Introducer } from './introductions.ts'
import { Liveness } from './liveness.ts'
import { type Abandoner, PendingCall } from './pending-call.ts'
import { sendCredit } from './stream-credit.ts'
import { unavailable, unsent } from './unsent.ts'

/** What a connection needs. */
export interface CallingOptions {
  readonly clock: Clock
  /** Watches the deadlines of all channels of the process. */
  readonly wheel: TimerWheel
  /** Services of this process, as whose caller calls may be made. */
  readonly callers: readonly string[]
  /** This process's credential; absent: it can speak for no service. */
  readonly credential?: string | undefined
  /** Default: all, the best first. */
  readonly encodings?: readonly EncodingName[]
  readonly limits?: Partial<FrameLimits>
}

/** One connection to one process. */
export class CallingConnection implements Channel, Abandoner {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #wheel: TimerWheel
  readonly #limits: FrameLimits
  readonly #writer: FrameWriter
  readonly #reader: FrameReader
  readonly #callers: readonly string[]
  readonly #pending = new NumberMap<PendingCall>()
  readonly #introducer: Introducer
  #operations = new Map<string, number>()
  #encoding: Encoding = openEncoding('json')
  #liveness: Liveness | undefined
  #onWelcome: ((error?: FlotillaError) => void) | undefined
  #onClosed: (() => void)[] = []
  #inFlightMax = 0
  #frameBytesMax = 0
  #nextCall = 1
  /** When the chunk being read came. */
  #arrivedMs = 0
  #hasSaidGoodbye = false
  /** Who answers at the other end. */
  #instance = ''
  isOpen = false

  constructor(socket: Socket, options: CallingOptions, onWelcome: (error?: FlotillaError) => void) {
    this.#socket = socket
    this.#clock = options.clock
    this.#wheel = options.wheel
    this.#limits = { ...frameLimits, ...options.limits }
    this.#callers = options.callers
    this.#writer = new FrameWriter(socket)
    this.#introducer = new Introducer(this.#writer)
    this.#reader = new FrameReader(this.#limits.frameBytesMax, (frame) => this.#receive(frame))
    this.#onWelcome = onWelcome
    this.#frameBytesMax = this.#limits.frameBytesMax
    socket.on('data', (chunk: Buffer) => this.#push(chunk))
    sendHello(this.#writer, {
      magic: 'flotilla',
      version: PROTOCOL_VERSION,
      encodings: options.encodings ?? encodings,
      callers: options.callers,
      credential: options.credential,
      frameBytesMax: this.#limits.frameBytesMax,
    })
  }

  /** Takes over the socket once greeted. */
  attach(): void {
    this.#socket.on('error', () => {
      // 'close' follows and tells everybody who waits.
    })
    this.#socket.on('close', () => this.#closed())
    this.#liveness = new Liveness(
      this.#clock,
      this.#limits.pingMs,
      () => this.#writer.send(kinds.ping),
      () => this.#socket.destroy(),
    )
  }

  call(request: CallRequest, settle: Settle): void {
    const refusal = this.#refusal(request)
    if (refusal === undefined) this.#start(request, settle, undefined)
    else settle(Reply.failed(refusal, request.startMs))
  }

  stream(request: CallRequest): AsyncIterable<unknown> {
    let pending: PendingCall | undefined
    const items = new ItemQueue({
      onTaken: () => pending && this.#giveCredit(pending),
      onLeft: () =>
        pending &&
        this.abandon(pending, new FlotillaError('canceled', 'The reader left.', { executed: 'maybe' })),
    })
    const refusal = this.#refusal(request)
    if (refusal === undefined) pending = this.#start(request, (reply) => items.end(reply.error), items)
    else items.end(refusal)
    return items
  }

  async close(): Promise<void> {
    this.isOpen = false
    if (this.#socket.destroyed) return
    const closed = new Promise<void>((resolve) => this.#onClosed.push(resolve))
    this.#sayGoodbye()
    this.#endIfIdle()
    await closed
  }

  abandon(pending: PendingCall, error: FlotillaError): void {
    if (!this.#pending.has(pending.id)) return
    // First the frame: the last call to be settled may end the connection.
    this.#writer.send(kinds.cancel, pending.id)
    this.#settle(pending, Reply.failed(error, this.#clock.monotonicMs()))
  }

  /** Why a call cannot even be sent. */
  #refusal({ operation, caller, cancellation }: CallRequest): FlotillaError | undefined {
    if (!this.isOpen) return unavailable('The connection is closing.')
    if (!this.#operations.has(operation.id)) {
      return unsent('unimplemented', `${this.#instance} has no operation ${operation.id}.`)
    }
    if (caller.service !== undefined && !this.#callers.includes(caller.service)) {
      return unsent('permission_denied', `This process may not speak for ${caller.service}.`)
    }
    if (this.#pending.size >= this.#inFlightMax) return unavailable('Too many calls on their way.')
    if (this.#writer.unsentBytes > this.#limits.unsentBytesMax)
      return unavailable('The peer reads too slowly.')
    return cancellation.error
  }

  #start(request: CallRequest, settle: Settle, items: ItemQueue | undefined): PendingCall | undefined {
    // A retry is sent some time after it was made, so the clock is read again.
    const nowMs = this.#clock.monotonicMs()
    const leftMs = request.deadlineMs - nowMs
    if (leftMs <= 0) {
      settle(Reply.failed(unsent('deadline_exceeded', 'No time left to call.'), nowMs))
      return undefined
    }
    const pending = new PendingCall(this, this.#nextCall, request, settle, items)
    this.#nextCall = (this.#nextCall % 0xffff_ffff) + 1
    try {
      this.#write(pending, leftMs)
    } catch (caught) {
      const error = isFlotillaError(caught)
        ? caught
        : unsent('internal', 'The input cannot be encoded.', caught)
      settle(Reply.failed(error, nowMs))
      return undefined
    }
    if (items !== undefined) pending.credit = this.#limits.streamCredit
    this.#pending.set(pending.id, pending)
    if (leftMs !== Number.POSITIVE_INFINITY) this.#wheel.add(pending, request.deadlineMs, nowMs)
    request.cancellation.listen(pending)
    return pending
  }

  #write(pending: PendingCall, leftMs: number): void {
    const { request, items } = pending
    const { token, service } = request.caller
    // The PRINCIPAL frame, if one is needed, must stand before the CALL.
    const principal = token === undefined ? 0 : this.#introducer.numberOf(token)
    const start = beginCall(this.#writer, request, {
      call: pending.id,
      operation: this.#operations.get(request.operation.id) as number,
      principal,
      caller: service === undefined ? -1 : this.#callers.indexOf(service),
      leftMs,
      credit: items === undefined ? undefined : this.#limits.streamCredit,
    })
    try {
      this.#encoding.encode(request.input, this.#writer)
      this.#writer.end(start, this.#frameBytesMax)
    } catch (error) {
      this.#writer.discard(start)
      this.#encoding.forget()
      throw error
    }
  }

  #giveCredit(pending: PendingCall): void {
    const { items } = pending
    if (items === undefined || !this.#pending.has(pending.id)) return
    // What the other side may send and what waits here is never more than the whole credit.
    const takenItems = this.#limits.streamCredit - pending.credit - items.waitingItems
    if (takenItems < this.#limits.streamCredit / 2) return
    pending.credit += takenItems
    sendCredit(this.#writer, pending.id, takenItems)
  }

  #push(chunk: Buffer): void {
    this.#liveness?.heard()
    this.#arrivedMs = this.#clock.monotonicMs()
    try {
      this.#reader.push(chunk)
    } catch (caught) {
      this.#greeted(isFlotillaError(caught) ? caught : protocolError('a frame that cannot be read', caught))
      this.#socket.destroy()
    }
  }

  #receive(frame: Buffer): void {
    switch (frame[4]) {
      case kinds.reply:
        return this.#replied(frame)
      case kinds.item:
        return this.#itemArrived(frame)
      case kinds.end:
        return this.#ended(frame, undefined)
      case kinds.error:
        return this.#ended(
          frame,
          FlotillaError.fromBody(JSON.parse(frame.toString('utf8', REPLY_HEAD_BYTES))),
        )
      case kinds.ping:
        return this.#writer.send(kinds.pong)
      case kinds.pong:
        return
      case kinds.goodbye:
        this.isOpen = false
        this.#sayGoodbye()
        return this.#endIfIdle()
      case kinds.welcome:
        return this.#welcomed(readWelcome(frame))
      default:
        throw protocolError(`a frame of kind ${frame[4]}`)
    }
  }

  #replied(frame: Buffer): void {
    const pending = this.#pending.get(readUint32(frame, 8))
    const encoding = hasFlag(frame, replyFlags.isJson) ? jsonEncoding : this.#encoding
    if (pending === undefined) {
      if (!encoding.isStateless) encoding.decode(frame, REPLY_HEAD_BYTES)
      return
    }
    const json =
      pending.request.wantsJson && encoding.isStateless ? frame.subarray(REPLY_HEAD_BYTES) : undefined
    const output = json === undefined ? encoding.decode(frame, REPLY_HEAD_BYTES) : undefined
    this.#settle(
      pending,
      new Reply(output, undefined, json, this.#arrivedMs, hasFlag(frame, replyFlags.isReplayed)),
    )
  }

  #itemArrived(frame: Buffer): void {
    const item = this.#encoding.decode(frame, REPLY_HEAD_BYTES)
    const pending = this.#pending.get(readUint32(frame, 8))
    if (pending?.items === undefined) return
    if (--pending.credit < 0) throw protocolError('more items than it was given credit for')
    pending.items.push(item)
  }

  #ended(frame: Buffer, error: FlotillaError | undefined): void {
    const id = readUint32(frame, 8)
    // What the other side says about the connection, not about a call; it closes it, too.
    if (id === 0 && error !== undefined) return this.#greeted(error)
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    this.#settle(
      pending,
      new Reply(undefined, error, undefined, this.#arrivedMs, hasFlag(frame, replyFlags.isReplayed)),
    )
  }

  #welcomed(welcome: Welcome): void {
    if (this.#onWelcome === undefined) throw protocolError('a second WELCOME')
    this.#operations = new Map(welcome.operations.map((id, index) => [id, index]))
    this.#encoding = openEncoding(welcome.encoding)
    this.#inFlightMax = Math.min(welcome.inFlightMax, this.#limits.inFlightMax)
    this.#frameBytesMax = welcome.frameBytesMax
    this.#instance = welcome.instance
    this.isOpen = true
    this.#greeted(undefined)
  }

  /** Tells who opened the connection, once. */
  #greeted(error: FlotillaError | undefined): void {
    const onWelcome = this.#onWelcome
    this.#onWelcome = undefined
    onWelcome?.(error)
  }

  #settle(pending: PendingCall, reply: Reply): void {
    this.#pending.delete(pending.id)
    this.#wheel.remove(pending)
    pending.request.cancellation.unlisten(pending)
    pending.settle(reply)
    if (!this.isOpen) this.#endIfIdle()
  }

  #sayGoodbye(): void {
    if (this.#hasSaidGoodbye) return
    this.#hasSaidGoodbye = true
    this.#writer.send(kinds.goodbye)
  }

  #endIfIdle(): void {
    if (this.#pending.size > 0) return
    this.#writer.flush()
    this.#socket.end()
  }

  #closed(): void {
    this.isOpen = false
    this.#liveness?.stop()
    const error = new FlotillaError('unavailable', `The connection to ${this.#instance} broke.`)
    for (const pending of this.#pending.values())
      this.#settle(pending, Reply.failed(error, this.#clock.monotonicMs()))
    for (const resolve of this.#onClosed) resolve()
    this.#onClosed = []
  }
}
