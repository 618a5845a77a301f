/**
 * The calling side of a frames connection.
 *
 * Life of a connection: connect, HELLO out, WELCOME in (now calls may be sent), any number of calls at once, then
 * GOODBYE from either side: no new calls, those on their way end, the socket closes. A broken socket ends every call
 * on its way as `unavailable`, executed 'maybe'.
 *
 * @module
 */
import { connect, type Socket } from 'node:net'
import type { CancelListener } from '../../kernel/cancellation.ts'
import type { Clock } from '../../kernel/clock.ts'
import { FlotillaError } from '../../kernel/error.ts'
import { Timed, type TimerWheel } from '../../kernel/timer-wheel.ts'
import { ItemQueue } from '../item-queue.ts'
import { type Address, type CallRequest, type Channel, formatAddress, Reply, type Settle } from '../wire.ts'
import { beginCall } from './call-frame.ts'
import { type Encoding, openEncoding } from './encoding.ts'
import {
  type EncodingName,
  encodings,
  type FrameLimits,
  frameLimits,
  HELLO_HEAD_BYTES,
  type Hello,
  kinds,
  PROTOCOL_VERSION,
  protocolError,
  REPLY_HEAD_BYTES,
  readGreeting,
  replyFlags,
  type Welcome,
} from './format.ts'
import { FrameReader } from './frame-reader.ts'
import { FrameWriter, readUint32, writeUint32 } from './frame-writer.ts'
import { Liveness } from './liveness.ts'

/** What a channel needs. */
export interface FramesChannelOptions {
  readonly address: Address
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
  /** How long connecting and greeting may take. Default 1,000. */
  readonly connectTimeoutMs?: number
}

const PRINCIPALS_MAX = 4_096

/**
 * Connects and greets.
 *
 * @throws FlotillaError `unavailable`, executed 'no', when nobody answers in time; or what the server refuses with.
 */
export function openFramesChannel(options: FramesChannelOptions): Promise<FramesChannel> {
  const { address, clock, connectTimeoutMs = 1_000 } = options
  const name = formatAddress(address)
  return new Promise((resolve, reject) => {
    const socket =
      address.kind === 'unix'
        ? connect(address.path)
        : connect({ ...address, noDelay: true, keepAlive: true })
    const fail = (why: string, cause?: unknown): void => {
      timer.cancel()
      socket.destroy()
      reject(new FlotillaError('unavailable', `No connection to ${name}: ${why}.`, { executed: 'no', cause }))
    }
    const timer = clock.schedule(connectTimeoutMs, () => fail(`no answer after ${connectTimeoutMs} ms`))
    socket.once('error', (error) => fail(error.message, error))
    socket.once('close', () => fail('the peer closed it before greeting'))
    socket.once('connect', () => {
      const channel = new FramesChannel(socket, options, (error) => {
        timer.cancel()
        socket.removeAllListeners('error').removeAllListeners('close')
        if (error !== undefined) {
          socket.destroy()
          return reject(error)
        }
        channel.attach()
        resolve(channel)
      })
    })
  })
}

/** A call whose answer has not come; waits in the wheel for its deadline. */
class PendingCall extends Timed implements CancelListener {
  readonly id: number
  readonly request: CallRequest
  readonly #channel: FramesChannel
  readonly settle: Settle
  /** Set for streams: where items go. */
  readonly items: ItemQueue | undefined
  /** Items taken by the loop and not yet given back as credit. */
  takenItems = 0

  constructor(
    channel: FramesChannel,
    id: number,
    request: CallRequest,
    settle: Settle,
    items: ItemQueue | undefined,
  ) {
    super()
    this.#channel = channel
    this.id = id
    this.request = request
    this.settle = settle
    this.items = items
  }

  override expire(): void {
    this.#channel.abandon(this, new FlotillaError('deadline_exceeded', 'The answer did not come in time.'))
  }

  canceled(error: FlotillaError): void {
    this.#channel.abandon(this, error)
  }
}

/** One connection to one process. */
export class FramesChannel implements Channel {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #wheel: TimerWheel
  readonly #limits: FrameLimits
  readonly #writer: FrameWriter
  readonly #reader: FrameReader
  readonly #callers: readonly string[]
  readonly #pending = new Map<number, PendingCall>()
  readonly #principals = new Map<string, number>()
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
  instance = ''
  isOpen = false

  constructor(socket: Socket, options: FramesChannelOptions, onWelcome: (error?: FlotillaError) => void) {
    this.#socket = socket
    this.#clock = options.clock
    this.#wheel = options.wheel
    this.#limits = { ...frameLimits, ...options.limits }
    this.#callers = options.callers
    this.#writer = new FrameWriter(socket)
    this.#reader = new FrameReader(this.#limits.frameBytesMax, (frame) => this.#receive(frame))
    this.#onWelcome = onWelcome
    this.#frameBytesMax = this.#limits.frameBytesMax
    socket.on('data', (chunk: Buffer) => this.#push(chunk))
    const hello: Hello = {
      magic: 'flotilla',
      version: PROTOCOL_VERSION,
      encodings: options.encodings ?? encodings,
      callers: options.callers,
      ...(options.credential === undefined ? {} : { credential: options.credential }),
    }
    const start = this.#writer.begin(kinds.hello, HELLO_HEAD_BYTES)
    this.#encoding.encode(hello, this.#writer)
    this.#writer.end(start, this.#frameBytesMax)
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

  /** Ends a call from this side and tells the other. */
  abandon(pending: PendingCall, error: FlotillaError): void {
    if (!this.#pending.has(pending.id)) return
    this.#settle(pending, Reply.failed(error, this.#clock.monotonicMs()))
    this.#writer.send(kinds.cancel, pending.id)
  }

  /** Why a call cannot even be sent. */
  #refusal(request: CallRequest): FlotillaError | undefined {
    if (!this.isOpen) return unavailable('The connection is closing.')
    if (!this.#operations.has(request.operation.id)) {
      return new FlotillaError(
        'unimplemented',
        `${this.instance} has no operation ${request.operation.id}.`,
        {
          executed: 'no',
        },
      )
    }
    if (this.#pending.size >= this.#inFlightMax) return unavailable('Too many calls on their way.')
    if (this.#writer.unsentBytes > this.#limits.unsentBytesMax)
      return unavailable('The peer reads too slowly.')
    return request.cancellation.error
  }

  #start(request: CallRequest, settle: Settle, items: ItemQueue | undefined): PendingCall | undefined {
    // A retry is sent some time after it was made, so the clock is read again.
    const nowMs = this.#clock.monotonicMs()
    const leftMs = request.deadlineMs - nowMs
    if (leftMs <= 0) {
      const error = new FlotillaError('deadline_exceeded', 'No time left to call.', { executed: 'no' })
      settle(Reply.failed(error, nowMs))
      return undefined
    }
    const pending = new PendingCall(this, this.#nextCall, request, settle, items)
    this.#nextCall = (this.#nextCall % 0xffff_ffff) + 1
    try {
      this.#write(pending, leftMs)
    } catch (error) {
      settle(Reply.failed(error as FlotillaError, nowMs))
      return undefined
    }
    this.#pending.set(pending.id, pending)
    if (leftMs !== Number.POSITIVE_INFINITY) this.#wheel.add(pending, request.deadlineMs, nowMs)
    request.cancellation.listen(pending)
    return pending
  }

  #write(pending: PendingCall, leftMs: number): void {
    const { request, items } = pending
    const { token, service } = request.caller
    // The PRINCIPAL frame, if one is needed, must stand before the CALL.
    const principal = token === undefined ? 0 : this.#principal(token)
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

  /** The number that stands for a user token on this connection; introduces it at its first use. */
  #principal(token: string): number {
    const known = this.#principals.get(token)
    if (known !== undefined) return known
    // Frames arrive in order, so numbers can be given anew: calls sent before still meant the old ones.
    if (this.#principals.size >= PRINCIPALS_MAX) this.#principals.clear()
    const principal = this.#principals.size + 1
    this.#principals.set(token, principal)
    const start = this.#writer.beginFor(kinds.principal, principal)
    this.#writer.append(Buffer.from(token, 'latin1'))
    this.#writer.end(start, this.#frameBytesMax)
    return principal
  }

  #giveCredit(pending: PendingCall): void {
    pending.takenItems++
    if (pending.takenItems < this.#limits.streamCredit / 2 || !this.#pending.has(pending.id)) return
    const start = this.#writer.beginFor(kinds.credit, pending.id)
    this.#writer.reserve(4)
    writeUint32(this.#writer.buffer, this.#writer.position, pending.takenItems)
    this.#writer.position += 4
    this.#writer.end(start, this.#frameBytesMax)
    pending.takenItems = 0
  }

  #push(chunk: Buffer): void {
    this.#liveness?.heard()
    this.#arrivedMs = this.#clock.monotonicMs()
    try {
      this.#reader.push(chunk)
    } catch (error) {
      this.#onWelcome?.(error as FlotillaError)
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
        return this.#welcomed(readGreeting<Welcome>(frame))
      default:
        throw protocolError(`a frame of kind ${frame[4]}`)
    }
  }

  #replied(frame: Buffer): void {
    const pending = this.#pending.get(readUint32(frame, 8))
    if (pending === undefined) {
      if (!this.#encoding.isStateless) this.#encoding.decode(frame, REPLY_HEAD_BYTES)
      return
    }
    const isReplayed = hasFlag(frame, replyFlags.isReplayed)
    const keepsJson = pending.request.wantsJson && this.#encoding.isStateless
    this.#settle(
      pending,
      keepsJson
        ? new Reply(undefined, undefined, frame.subarray(REPLY_HEAD_BYTES), this.#arrivedMs, isReplayed)
        : new Reply(
            this.#encoding.decode(frame, REPLY_HEAD_BYTES),
            undefined,
            undefined,
            this.#arrivedMs,
            isReplayed,
          ),
    )
  }

  #itemArrived(frame: Buffer): void {
    const item = this.#encoding.decode(frame, REPLY_HEAD_BYTES)
    this.#pending.get(readUint32(frame, 8))?.items?.push(item)
  }

  #ended(frame: Buffer, error: FlotillaError | undefined): void {
    const id = readUint32(frame, 8)
    if (id === 0 && error !== undefined) {
      this.#onWelcome?.(error)
      return
    }
    const pending = this.#pending.get(id)
    if (pending !== undefined)
      this.#settle(
        pending,
        new Reply(undefined, error, undefined, this.#arrivedMs, hasFlag(frame, replyFlags.isReplayed)),
      )
  }

  #welcomed(welcome: Welcome): void {
    this.#operations = new Map(welcome.operations.map((id, index) => [id, index]))
    this.#encoding = openEncoding(welcome.encoding)
    this.#inFlightMax = Math.min(welcome.inFlightMax, this.#limits.inFlightMax)
    this.#frameBytesMax = Math.min(welcome.frameBytesMax, this.#limits.frameBytesMax)
    this.instance = welcome.instance
    this.isOpen = true
    this.#onWelcome?.()
    this.#onWelcome = undefined
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
    const error = new FlotillaError('unavailable', `The connection to ${this.instance} broke.`)
    for (const pending of [...this.#pending.values()])
      this.#settle(pending, Reply.failed(error, this.#clock.monotonicMs()))
    for (const resolve of this.#onClosed) resolve()
    this.#onClosed = []
  }
}

function hasFlag(frame: Buffer, flag: number): boolean {
  return ((frame[5] as number) & flag) !== 0
}

function unavailable(message: string): FlotillaError {
  return new FlotillaError('unavailable', message, { executed: 'no' })
}
