/**
 * The four ways to one receiver, opened for a test: what `conformance.test.ts` and its neighbours call through.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { anyone } from '../contract/access.ts'
import { defineContract, operationsOf } from '../contract/contract.ts'
import { command, type Operation, stream } from '../contract/operation.ts'
import { Type } from '../contract/schema.ts'
import { anonymous, type User } from '../kernel/caller.ts'
import { Cancellation } from '../kernel/cancellation.ts'
import { systemClock } from '../kernel/clock.ts'
import { asCallees, type ErrorBody, FlotillaError } from '../kernel/error.ts'
import { createIds } from '../kernel/ids.ts'
import { systemRandom } from '../kernel/random.ts'
import { TimerWheel } from '../kernel/timer-wheel.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import { createKeyPair, Signer } from './credentials.ts'
import { directChannel } from './direct.ts'
import type { EncodingName, FrameLimits } from './frames/format.ts'
import { openFramesChannel } from './frames/frames-channel.ts'
import { openFramesServer } from './frames/frames-server.ts'
import { openHttpChannel } from './http/http-channel.ts'
import { headers } from './http/http-headers.ts'
import { openHttpServer } from './http/http-server.ts'
import { Trust } from './trust.ts'
import { type Address, type CallRequest, type Channel, type Receiver, Reply, type Settle } from './wire.ts'

/** What `node:test` gives a test. */
export interface TestContext {
  after(cleanUp: () => Promise<void>): void
}

const Anything = Type.Object({})
const ask = command({
  summary: 'Answers as its name says.',
  access: anyone,
  idempotency: 'none',
  input: Anything,
  output: Anything,
})
const follow = stream({ summary: 'Goes on.', access: anyone, input: Anything, output: Anything })

/** For browsers, of which none is here. */
const leave = command({
  summary: 'Leads a browser away.',
  access: anyone,
  http: { route: 'GET /leave', browsing: { cookie: 'kept', maxAgeS: 60, location: 'to' } },
  idempotency: 'none',
  input: Type.Object({ kept: Type.Optional(Type.String()), to: Type.String() }),
  output: Type.Object({ kept: Type.String(), to: Type.String() }),
})

/** For the gateway's check of a proof, which is not between services. */
const bind = command({
  summary: 'Binds to a key.',
  access: anyone,
  http: { route: 'POST /bind', provenKey: 'key' },
  idempotency: 'none',
  input: Type.Object({ key: Type.Optional(Type.String()) }),
  output: Type.Object({ key: Type.Optional(Type.String()) }),
})

/** What the receiver of these tests can do, and one operation it cannot. */
export const probeContract = defineContract({
  name: 'probe',
  version: 1,
  summary: 'Does what a test wants.',
  operations: {
    echo: ask,
    replay: ask,
    refuse: ask,
    inflate: ask,
    hold: ask,
    stick: ask,
    follow,
    leave,
    bind,
    missing: ask,
  },
})

/** What `follow` takes. */
export interface FollowInput {
  readonly items: number
  /** Characters of filling in each item. */
  readonly filling?: number
  /** How it goes on after the items; default: it ends. */
  readonly after?: 'wait' | ErrorBody
}

/** A receiver that does what the input tells it, and remembers. */
export class Probe implements Receiver {
  readonly operations: readonly Operation[] = operationsOf(probeContract).filter(
    ({ name }) => name !== 'missing',
  )
  /** Every request that arrived. */
  readonly requests: CallRequest[] = []
  /** Calls of `hold` that wait for `release`, in order of arrival. */
  readonly held: { readonly request: CallRequest; release(): void }[] = []
  /** Items that streams made, and how many streams have ended. */
  producedItems = 0
  endedStreams = 0

  call(request: CallRequest, settle: Settle): void {
    this.requests.push(request)
    const { operation, input } = request
    const nowMs = systemClock.monotonicMs()
    switch (operation.name) {
      case 'echo':
      case 'leave':
      case 'bind':
        return settle(Reply.of(input, nowMs))
      case 'replay':
        return settle(new Reply(input, undefined, undefined, nowMs, true))
      case 'refuse':
        return settle(Reply.failed(FlotillaError.fromBody(input), nowMs))
      case 'inflate': {
        const { bytes, asError } = input as { bytes: number; asError?: boolean }
        const value = { filling: 'x'.repeat(bytes) }
        if (asError)
          return settle(
            Reply.failed(asCallees(new FlotillaError('aborted', 'Long.', { data: value })), nowMs),
          )
        return settle(Reply.of(value, nowMs))
      }
      case 'hold':
        return this.#hold(request, settle)
      case 'stick':
        return
      default:
        return settle(
          Reply.failed(asCallees(new FlotillaError('unimplemented', 'No.', { executed: 'no' })), nowMs),
        )
    }
  }

  async *stream(request: CallRequest): AsyncIterable<unknown> {
    this.requests.push(request)
    const { items, filling = 0, after } = request.input as FollowInput
    try {
      for (let index = 0; index < items; index++) {
        this.producedItems++
        yield { index, filling: 'x'.repeat(filling) }
      }
      if (after === 'wait')
        await new Promise<void>((resolve) => request.cancellation.listen({ canceled: () => resolve() }))
      else if (after !== undefined) throw FlotillaError.fromBody(after)
      request.cancellation.throwIfCanceled()
    } finally {
      this.endedStreams++
    }
  }

  #hold(request: CallRequest, settle: Settle): void {
    let isSettled = false
    const once = (error: FlotillaError | undefined): void => {
      if (isSettled) return
      isSettled = true
      const endMs = systemClock.monotonicMs()
      settle(error === undefined ? Reply.of(request.input, endMs) : Reply.failed(asCallees(error), endMs))
    }
    this.held.push({ request, release: () => once(undefined) })
    request.cancellation.listen({ canceled: once })
  }
}

/** A request as a caller would make it; ten seconds unless told otherwise. */
export function requestOf(
  operation: Operation,
  input: unknown,
  rest: Partial<CallRequest> & { readonly timeoutMs?: number } = {},
): CallRequest {
  const { timeoutMs = 10_000, ...given } = rest
  const startMs = systemClock.monotonicMs()
  return {
    operation,
    input,
    wantsJson: false,
    caller: anonymous,
    startMs,
    deadlineMs: startMs + timeoutMs,
    trace: TraceContext.start(systemRandom, false),
    criticality: 'critical',
    cancellation: new Cancellation(),
    ...given,
  }
}

/** A call as a promise of its reply. */
export function call(channel: Channel, request: CallRequest): Promise<Reply> {
  return new Promise((resolve) => channel.call(request, resolve))
}

/** Who speaks in these tests. */
export const testUser: User = { id: 'u1', roles: ['customer'], scopes: [], tier: 'free' }

/** The signatures of one test's platform. */
export class TestTrust {
  readonly #process = createKeyPair()
  readonly #user = createKeyPair()
  readonly trust = new Trust(
    { processKey: this.#process.publicKey, userKey: this.#user.publicKey, credential: '' },
    systemClock,
  )

  /** A process's credential. */
  credential(services: readonly string[], lifeMs = 60_000): string {
    const expiresAt = systemClock.now() + lifeMs
    return new Signer(this.#process.privateKey).process({ instance: 'test', services, expiresAt })
  }

  /** A user's token. */
  token(user: User): string {
    return new Signer(this.#user.privateKey).user({ user, expiresAt: systemClock.now() + 60_000 })
  }
}

/** How a caller connects. */
export interface ConnectOptions {
  /** Default: a genuine one, for the service `cart`. */
  readonly credential?: string
  readonly limits?: Partial<FrameLimits>
  /** TCP: instead of the server's own port. */
  readonly port?: number
}

/** A receiver that can be reached. */
export interface OpenWire {
  readonly probe: Probe
  readonly trust: TestTrust
  /** TCP: where it listens. */
  readonly port: number | undefined
  connect(options?: ConnectOptions): Promise<Channel>
  /** Ends as a process that is told to. */
  drain(): Promise<void>
  /** Ends as a process that is killed. */
  crash(): Promise<void>
}

/** One of the four. */
export interface Wire {
  readonly name: 'direct' | 'frames on a Unix socket' | 'frames on TCP' | 'HTTP'
  open(t: TestContext, limits?: Partial<FrameLimits>): Promise<OpenWire>
}

const wheel = new TimerWheel(systemClock)

/** All of them. Frames on a Unix socket speak MessagePack, on TCP JSON, so that both are held to the same. */
export const wires: readonly Wire[] = [
  { name: 'direct', open: openDirect },
  {
    name: 'frames on a Unix socket',
    open: (t, limits) => openFrames(t, unixAddress(t), 'msgpack-records', limits),
  },
  {
    name: 'frames on TCP',
    open: (t, limits) => openFrames(t, { kind: 'tcp', host: '127.0.0.1', port: 0 }, 'json', limits),
  },
  { name: 'HTTP', open: openHttp },
]

/** A fresh path for a socket. */
export function unixAddress(t: TestContext): Address {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-wire-'))
  t.after(async () => rmSync(folder, { recursive: true, force: true }))
  return { kind: 'unix', path: join(folder, 's.sock') }
}

async function openDirect(): Promise<OpenWire> {
  const probe = new Probe()
  return {
    probe,
    trust: new TestTrust(),
    port: undefined,
    connect: async () => directChannel(probe, 'clone'),
    drain: async () => {},
    crash: async () => {},
  }
}

async function openFrames(
  t: TestContext,
  address: Address,
  encoding: EncodingName,
  limits: Partial<FrameLimits> = {},
): Promise<OpenWire> {
  const probe = new Probe()
  const trust = new TestTrust()
  const server = await openFramesServer({
    address,
    clock: systemClock,
    receiver: probe,
    trust: trust.trust,
    instance: 'probe-1',
    limits,
  })
  const channels: Channel[] = []
  t.after(async () => {
    await server.close()
    await Promise.all(channels.map((channel) => channel.close()))
  })
  return {
    probe,
    trust,
    port: server.address.kind === 'tcp' ? server.address.port : undefined,
    async connect(options = {}) {
      const channel = await openFramesChannel({
        address:
          options.port === undefined
            ? server.address
            : { kind: 'tcp', host: '127.0.0.1', port: options.port },
        clock: systemClock,
        wheel,
        callers: ['cart', 'bank'],
        credential: options.credential ?? trust.credential(['cart']),
        encodings: [encoding],
        limits: { ...limits, ...options.limits },
      })
      channels.push(channel)
      return channel
    },
    drain: () => server.drain(),
    crash: () => server.close(),
  }
}

async function openHttp(t: TestContext): Promise<OpenWire> {
  const probe = new Probe()
  const trust = new TestTrust()
  const server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    ports: { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) },
    receiver: probe,
    authenticate: ({ headers: given }) => {
      const text = (name: string): string | undefined => given[name]?.toString()
      const claims = trust.trust.process((text(headers.authorization) ?? '').slice('Bearer '.length))
      return trust.trust.caller(claims, text(headers.caller), text(headers.user))
    },
  })
  const channels: Channel[] = []
  t.after(async () => {
    await server.close()
    await Promise.all(channels.map((channel) => channel.close()))
  })
  return {
    probe,
    trust,
    port: server.port,
    async connect(options = {}) {
      const channel = await openHttpChannel({
        origin: `http://127.0.0.1:${options.port ?? server.port}`,
        clock: systemClock,
        wheel,
        credential: options.credential ?? trust.credential(['cart']),
      })
      channels.push(channel)
      return channel
    },
    drain: () => server.drain(),
    crash: () => server.close(),
  }
}
