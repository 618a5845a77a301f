/**
 * A gRPC server behind the gateway, or several that are alike: one call at one of them, in bytes. A call is made again, elsewhere, when
 * the server is not available, nothing has come of it, and asking twice is safe.
 *
 * The library that speaks the protocol is loaded at the first call. What it would do by itself is done here, and turned off there:
 * retries, configuration that servers' names bring along, and CAs and ciphers of its own.
 *
 * @source github.com/grpc/grpc, PROTOCOL-HTTP2.md
 * @module
 */
import assert from 'node:assert/strict'
import { createSecureContext } from 'node:tls'
import type { Cancellation } from '@flotilla/core/cancellation'
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError, isFlotillaError } from '@flotilla/core/error'
import type { Client, Metadata, ServiceError } from '@grpc/grpc-js'
import { type Outcome, type Target, Targets, type TargetsRuntime } from '../upstream/targets.ts'
import { errorOfStatus, isServerFault } from './status.ts'

/** How to reach it. */
export interface GrpcUpstreamSettings {
  /** Origins. */
  readonly targets: readonly string[]
  /** How often a call is made again. Default 1. */
  readonly retries?: number | undefined
}

/** A call. */
export interface GrpcCall {
  /** `acme.Stock/Get`. */
  readonly method: string
  readonly message: Uint8Array
  /** Names and values in turn. */
  readonly metadata: readonly string[]
  /** On the clock that only goes forward; undefined: none. */
  readonly deadlineMs: number | undefined
  /** True when it may be made twice. */
  readonly isSafe: boolean
  readonly cancellation: Cancellation
}

type Library = typeof import('@grpc/grpc-js')

/** Of a message, in both directions. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024
/** Servers take pings that come more often for an attack. */
const PING_MS = 330_000
const PING_ANSWER_MS = 20_000
const CONNECT_AGAIN_MS_MIN = 100
const CONNECT_AGAIN_MS_MAX = 5_000

const OPTIONS = {
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
  'grpc.initial_reconnect_backoff_ms': CONNECT_AGAIN_MS_MIN,
  'grpc.max_reconnect_backoff_ms': CONNECT_AGAIN_MS_MAX,
  'grpc.keepalive_time_ms': PING_MS,
  'grpc.keepalive_timeout_ms': PING_ANSWER_MS,
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
} as const

/** A gRPC server. */
export class GrpcUpstream {
  readonly #settings: GrpcUpstreamSettings
  readonly #clock: Clock
  readonly #targets: Targets
  readonly #clients = new Map<string, Client>()

  constructor(settings: GrpcUpstreamSettings, runtime: TargetsRuntime) {
    this.#settings = settings
    this.#clock = runtime.clock
    this.#targets = new Targets(settings.targets, runtime)
  }

  /**
   * Makes a call that one message answers.
   *
   * @throws FlotillaError as the server says, or `unavailable` when there is none.
   */
  async call(call: GrpcCall): Promise<Uint8Array> {
    let answer: Uint8Array | undefined
    // To its end: who stops before that cancels the call.
    for await (const message of this.#messages(call, once)) answer = message
    assert(answer !== undefined, 'a call that ends well has an answer')
    return answer
  }

  /** The same for any number of messages, as fast as they are taken. */
  stream(call: GrpcCall): AsyncGenerator<Uint8Array> {
    return this.#messages(call, many)
  }

  /** Lets calls end, and closes the connections. */
  close(): void {
    for (const client of this.#clients.values()) client.close()
    this.#clients.clear()
  }

  async *#messages(call: GrpcCall, ask: Ask): AsyncGenerator<Uint8Array> {
    const { retries = 1 } = this.#settings
    const library = await load()
    const metadata = metadataOf(library, call.metadata)
    const tried: Target[] = []
    let target = this.#targets.first()
    while (target !== undefined) {
      tried.push(target)
      let hasBegun = false
      try {
        for await (const message of this.#attempt(library, target, call, metadata, ask)) {
          hasBegun = true
          yield message
        }
        return
      } catch (error) {
        const isHopeful = !hasBegun && tried.length <= retries && mayRepeat(call, error)
        target = isHopeful ? this.#targets.next(tried) : undefined
        if (target === undefined) throw error
      }
    }
    throw errorOfStatus(library.status.UNAVAILABLE, '')
  }

  async *#attempt(
    library: Library,
    target: Target,
    call: GrpcCall,
    metadata: Metadata,
    ask: Ask,
  ): AsyncGenerator<Uint8Array> {
    const asked = target.begin()
    let outcome: Outcome | undefined
    try {
      for await (const message of this.#send(library, target.id, call, metadata, ask)) {
        if (outcome === undefined) asked.answered()
        outcome = 'well'
        yield message
      }
    } catch (cause) {
      const error = errorFor(call, cause)
      const isOver = call.cancellation.error !== undefined
      outcome = isOver ? 'unknown' : isServerFault(error) ? 'failed' : 'well'
      throw error
    } finally {
      asked.ended(outcome ?? 'well')
    }
  }

  async *#send(
    library: Library,
    origin: string,
    call: GrpcCall,
    metadata: Metadata,
    ask: Ask,
  ): AsyncGenerator<Uint8Array> {
    const { deadlineMs, cancellation } = call
    cancellation.throwIfCanceled()
    const leftMs = deadlineMs === undefined ? undefined : deadlineMs - this.#clock.monotonicMs()
    const options = leftMs === undefined ? {} : { deadline: this.#clock.now() + leftMs }
    const sent = ask(this.#clientOf(library, origin), call, metadata.clone(), options)
    const listener = { canceled: () => sent.cancel() }
    cancellation.listen(listener)
    let isOver = false
    try {
      yield* sent.messages
      isOver = true
    } finally {
      cancellation.unlisten(listener)
      if (!isOver) sent.cancel()
    }
  }

  #clientOf({ Client, credentials }: Library, origin: string): Client {
    const known = this.#clients.get(origin)
    if (known !== undefined) return known
    const { protocol, hostname, port } = new URL(origin)
    const isSecure = protocol === 'https:'
    const address = `dns:${hostname}:${port || (isSecure ? 443 : 80)}`
    // Node's own context: who is believed is the same as for other servers, whatever variables of gRPC say.
    const its = isSecure
      ? credentials.createFromSecureContext(createSecureContext())
      : credentials.createInsecure()
    const client = new Client(address, its, OPTIONS)
    this.#clients.set(origin, client)
    return client
  }
}

/** A call on its way. */
interface Sent {
  readonly messages: AsyncIterable<Uint8Array>
  cancel(): void
}

type Ask = (
  client: Client,
  call: GrpcCall,
  metadata: Metadata,
  options: { readonly deadline?: number },
) => Sent

const asBytes = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const asTheyAre = (bytes: Buffer): Uint8Array => bytes

const once: Ask = (client, { method, message }, metadata, options) => {
  let cancel = (): void => {}
  const answer = new Promise<Uint8Array>((resolve, reject) => {
    const its = client.makeUnaryRequest(
      `/${method}`,
      asBytes,
      asTheyAre,
      message,
      metadata,
      options,
      (error, bytes) => (error === null && bytes !== undefined ? resolve(bytes) : reject(error)),
    )
    cancel = () => its.cancel()
  })
  return { messages: just(answer), cancel }
}

const many: Ask = (client, { method, message }, metadata, options) => {
  const its = client.makeServerStreamRequest(`/${method}`, asBytes, asTheyAre, message, metadata, options)
  // Who reads the messages is told; the library emits it again when nobody reads any more.
  its.on('error', () => {})
  return { messages: its, cancel: () => its.cancel() }
}

async function* just<T>(value: Promise<T>): AsyncGenerator<T> {
  yield await value
}

async function load(): Promise<Library> {
  // A bundle has the default export only.
  const { default: library } = await import('@grpc/grpc-js')
  return library
}

/** @throws Error when a value is none that HTTP can carry. */
function metadataOf(library: Library, fields: readonly string[]): Metadata {
  const metadata = new library.Metadata()
  for (let index = 0; index < fields.length; index += 2)
    metadata.add(fields[index] as string, fields[index + 1] as string)
  return metadata
}

function mayRepeat({ isSafe, cancellation }: GrpcCall, error: unknown): boolean {
  return isSafe && cancellation.error === undefined && isFlotillaError(error) && error.code === 'unavailable'
}

function errorFor({ cancellation }: GrpcCall, cause: unknown): FlotillaError {
  if (cancellation.error !== undefined) return cancellation.error
  if (isFlotillaError(cause)) return cause
  const { code, details } = cause as Partial<ServiceError>
  // What has no status is a mistake of ours, before anything was sent.
  if (typeof code !== 'number') return new FlotillaError('internal', 'Internal error.', { cause })
  return errorOfStatus(code, details ?? '')
}
