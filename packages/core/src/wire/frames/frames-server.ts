/**
 * The answering side of frames connections: listens, greets, hands calls to a receiver, writes replies.
 *
 * @module
 */
import { rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Operation } from '../../contract/operation.ts'
import { anonymous, type Caller } from '../../kernel/caller.ts'
import { Cancellation } from '../../kernel/cancellation.ts'
import type { Clock } from '../../kernel/clock.ts'
import { FlotillaError, isFlotillaError } from '../../kernel/error.ts'
import type { ProcessClaims } from '../credentials.ts'
import type { Trust } from '../trust.ts'
import { type Address, type CallRequest, formatAddress, type Receiver, type Reply } from '../wire.ts'
import { callBodyStart, readCall, readCallNumbers } from './call-frame.ts'
import { type Encoding, openEncoding } from './encoding.ts'
import {
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
import { FrameWriter, readUint32 } from './frame-writer.ts'
import { Liveness } from './liveness.ts'

/** What a server needs. */
export interface FramesServerOptions {
  readonly address: Address
  readonly clock: Clock
  readonly receiver: Receiver
  readonly trust: Trust
  /** The name given to callers, for their logs. */
  readonly instance: string
  readonly limits?: Partial<FrameLimits>
  /** Told of peers that broke the protocol. */
  readonly onPeerError?: (error: FlotillaError) => void
}

/** A listening server. */
export interface FramesServer {
  /** With the port the system chose, when port 0 was asked for. */
  readonly address: Address
  /** Calls being answered now. */
  readonly inFlight: number
  /** Says goodbye to every caller and waits until each has taken its last answer; stops listening. */
  drain(): Promise<void>
  /** Ends every connection at once. */
  close(): Promise<void>
}

/** @throws FlotillaError `unavailable` when it cannot listen there. */
export async function openFramesServer(options: FramesServerOptions): Promise<FramesServer> {
  const connections = new Set<Connection>()
  const server = createServer({ noDelay: true }, (socket) => {
    const connection = new Connection(socket, options)
    connections.add(connection)
    socket.on('close', () => connections.delete(connection))
  })
  if (options.address.kind === 'unix') await removeDeadSocket(options.address.path)
  await listen(server, options.address)
  const closed = new Promise<void>((resolve) => server.once('close', () => resolve()))
  return {
    address: boundAddress(server, options.address),
    get inFlight() {
      let inFlight = 0
      for (const connection of connections) inFlight += connection.inFlight
      return inFlight
    },
    async drain() {
      server.close()
      for (const connection of connections) connection.sayGoodbye()
      await closed
    },
    async close() {
      server.close()
      for (const connection of connections) connection.destroy()
      await closed
    },
  }
}

function listen(server: Server, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new FlotillaError('unavailable', `Cannot listen on ${formatAddress(address)}: ${cause.message}`, {
          cause,
        }),
      )
    })
    server.listen(address.kind === 'unix' ? { path: address.path } : address, () => resolve())
  })
}

/** A process that was killed leaves its socket file behind; one that nobody listens on may go. */
function removeDeadSocket(path: string): Promise<void> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve()
    })
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') rmSync(path, { force: true })
      resolve()
    })
  })
}

function boundAddress(server: Server, asked: Address): Address {
  const bound = server.address()
  if (asked.kind === 'unix' || bound === null || typeof bound === 'string') return asked
  return { ...asked, port: bound.port }
}

/** A call being answered. */
interface Running {
  readonly cancellation: Cancellation
  readonly isStream: boolean
  /** Streams: items that may still be sent, and who waits for more. */
  credit: number
  onCredit: (() => void) | undefined
}

/** One caller's connection. */
class Connection {
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
  readonly #running = new Map<number, Running>()
  /** By principal × 256 + caller index: the identities that appeared on this connection. */
  readonly #knownCallers = new Map<number, Caller>()
  readonly #tokens = new Map<number, string>()
  #encoding: Encoding = openEncoding('json')
  #hello: Hello | undefined
  #claims: ProcessClaims | undefined
  #hasPeerSaidGoodbye = false
  /** When the chunk being read came. */
  #arrivedMs = 0

  constructor(socket: Socket, options: FramesServerOptions) {
    this.#socket = socket
    this.#clock = options.clock
    this.#receiver = options.receiver
    this.#operations = options.receiver.operations
    this.#trust = options.trust
    this.#instance = options.instance
    this.#onPeerError = options.onPeerError
    this.#limits = { ...frameLimits, ...options.limits }
    this.#writer = new FrameWriter(socket)
    this.#reader = new FrameReader(this.#limits.frameBytesMax, (frame) => this.#receive(frame))
    this.#liveness = new Liveness(
      this.#clock,
      this.#limits.pingMs,
      () => this.#writer.send(kinds.ping),
      () => socket.destroy(),
    )
    socket.on('data', (chunk: Buffer) => this.#push(chunk))
    socket.on('drain', () => socket.resume())
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
    for (const { isStream, cancellation } of this.#running.values()) if (isStream) cancellation.cancel(moved)
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
      this.#onPeerError?.(error)
      this.#sendError(0, error)
      this.#writer.flush()
      this.#socket.destroySoon()
      return
    }
    // A caller that does not take its answers gets no more of them: its new calls stay in its own buffers.
    if (this.#writer.unsentBytes > this.#limits.unsentBytesMax) this.#socket.pause()
  }

  #receive(frame: Buffer): void {
    if (this.#hello === undefined && frame[4] !== kinds.hello) throw protocolError('a frame before its HELLO')
    switch (frame[4]) {
      case kinds.call:
        return this.#called(frame)
      case kinds.cancel:
        return this.#running
          .get(readUint32(frame, 8))
          ?.cancellation.cancel(new FlotillaError('canceled', 'The caller gave up.'))
      case kinds.credit:
        return this.#creditArrived(frame)
      case kinds.principal:
        return this.#introduced(frame)
      case kinds.ping:
        return this.#writer.send(kinds.pong)
      case kinds.pong:
        return
      case kinds.goodbye:
        this.#hasPeerSaidGoodbye = true
        return this.#endIfIdle()
      case kinds.hello:
        return this.#greeted(readGreeting<Hello>(frame))
      default:
        throw protocolError(`a frame of kind ${frame[4]}`)
    }
  }

  #greeted(hello: Hello): void {
    if (hello.magic !== 'flotilla' || this.#hello !== undefined) throw protocolError('a HELLO that is none')
    if (hello.version !== PROTOCOL_VERSION) {
      throw new FlotillaError('unimplemented', `This side speaks version ${PROTOCOL_VERSION} only.`, {
        executed: 'no',
      })
    }
    const encoding = hello.encodings.find((name) => encodings.some((known) => known === name))
    if (encoding === undefined) throw protocolError('a HELLO without an encoding known here')
    this.#hello = hello
    this.#claims = hello.credential === undefined ? undefined : this.#trust.process(hello.credential)
    const welcome: Welcome = {
      version: PROTOCOL_VERSION,
      encoding: encoding as Welcome['encoding'],
      instance: this.#instance,
      operations: this.#operations.map((operation) => operation.id),
      frameBytesMax: this.#limits.frameBytesMax,
      inFlightMax: this.#limits.inFlightMax,
    }
    const start = this.#writer.begin(kinds.welcome, HELLO_HEAD_BYTES)
    this.#encoding.encode(welcome, this.#writer)
    this.#writer.end(start, this.#limits.frameBytesMax)
    this.#encoding = openEncoding(welcome.encoding)
  }

  #introduced(frame: Buffer): void {
    const principal = readUint32(frame, 8)
    if (principal === 0 || principal > 0xffff) throw protocolError(`principal ${principal}`)
    this.#tokens.set(principal, frame.toString('latin1', REPLY_HEAD_BYTES))
    for (const key of [...this.#knownCallers.keys()]) {
      if (key >>> 8 === principal) this.#knownCallers.delete(key)
    }
  }

  /** @throws FlotillaError `unauthenticated` or `permission_denied`. */
  #caller(principal: number, callerIndex: number): Caller {
    if (principal === 0 && callerIndex < 0) return anonymous
    const key = principal * 256 + callerIndex + 1
    const known = this.#knownCallers.get(key)
    if (known !== undefined) {
      // The token may have run out since: the trust remembers when.
      if (known.token !== undefined) this.#trust.user(known.token)
      return known
    }
    const service = callerIndex < 0 ? undefined : this.#hello?.callers[callerIndex]
    const token = principal === 0 ? undefined : this.#tokens.get(principal)
    if (principal !== 0 && token === undefined)
      throw protocolError(`a call for unknown principal ${principal}`)
    const caller = this.#trust.caller(this.#claims, service, token)
    this.#knownCallers.set(key, caller)
    return caller
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
      caller = this.#caller(numbers.principal, numbers.caller)
    } catch (error) {
      return this.#sendError(id, error as FlotillaError)
    }
    const cancellation = new Cancellation()
    const isStream = numbers.credit !== undefined
    const running: Running = { cancellation, isStream, credit: numbers.credit ?? 0, onCredit: undefined }
    this.#running.set(id, running)
    const request = readCall(frame, operation, input, caller, this.#arrivedMs, cancellation)
    if (isStream) void this.#answerStream(id, running, request)
    else this.#receiver.call(request, (reply) => this.#answer(id, reply))
  }

  #answer(id: number, reply: Reply): void {
    this.#running.delete(id)
    if (this.#socket.destroyed) return
    const flags = reply.isReplayed ? replyFlags.isReplayed : 0
    if (reply.error === undefined) this.#sendValue(kinds.reply, id, reply.output, flags)
    else this.#sendError(id, reply.error, flags)
    if (this.#hasPeerSaidGoodbye) this.#endIfIdle()
  }

  async #answerStream(id: number, running: Running, request: CallRequest): Promise<void> {
    const { cancellation } = running
    try {
      for await (const item of this.#receiver.stream(request)) {
        while (running.credit === 0 && cancellation.error === undefined) await this.#moreCredit(running)
        if (cancellation.error !== undefined || this.#socket.destroyed) break
        running.credit--
        this.#sendValue(kinds.item, id, item)
      }
      this.#running.delete(id)
      if (cancellation.error === undefined) this.#writer.send(kinds.end, id)
      else this.#sendError(id, cancellation.error)
    } catch (error) {
      this.#running.delete(id)
      this.#sendError(id, error as FlotillaError)
    }
    if (this.#hasPeerSaidGoodbye) this.#endIfIdle()
  }

  #moreCredit(running: Running): Promise<void> {
    return new Promise((resolve) => {
      running.onCredit = resolve
      running.cancellation.listen({ canceled: () => resolve() })
    })
  }

  #creditArrived(frame: Buffer): void {
    const running = this.#running.get(readUint32(frame, 8))
    if (running === undefined || frame.length < REPLY_HEAD_BYTES + 4) return
    running.credit += readUint32(frame, REPLY_HEAD_BYTES)
    running.onCredit?.()
    running.onCredit = undefined
  }

  #sendValue(kind: number, id: number, value: unknown, flags = 0): void {
    const start = this.#writer.beginFor(kind, id, flags)
    try {
      this.#encoding.encode(value, this.#writer)
      this.#writer.end(start, this.#limits.frameBytesMax)
    } catch (cause) {
      this.#writer.discard(start)
      this.#encoding.forget()
      const error = new FlotillaError('internal', 'The answer is too long or cannot be encoded.', { cause })
      this.#onPeerError?.(error)
      this.#sendError(id, error)
    }
  }

  #sendError(id: number, error: FlotillaError, flags = 0): void {
    if (this.#socket.destroyed) return
    const start = this.#writer.beginFor(kinds.error, id, flags)
    this.#writer.append(Buffer.from(JSON.stringify(error.toBody())))
    this.#writer.end(start, Number.POSITIVE_INFINITY)
  }

  #endIfIdle(): void {
    if (this.#running.size > 0) return
    this.#writer.flush()
    this.#socket.end()
  }

  #closed(): void {
    this.#liveness.stop()
    const error = new FlotillaError('canceled', 'The connection of the caller broke.')
    for (const running of this.#running.values()) running.cancellation.cancel(error)
    this.#running.clear()
  }
}
