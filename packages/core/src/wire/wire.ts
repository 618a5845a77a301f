/**
 * The port between "what to call" and "how it gets there". A channel leads to one instance of a service; a
 * receiver stands at its other end. Direct calls, frames and HTTP are three channels behind this one interface, and
 * `conformance.test.ts` holds all three to the same behaviour.
 *
 * @module
 */
import type { Operation } from '../contract/operation.ts'
import type { CallContext } from '../kernel/context.ts'
import type { FlotillaError } from '../kernel/error.ts'

/** One call on its way. */
export interface CallRequest extends CallContext {
  readonly operation: Operation
  /** Already checked against the operation by the sender; the receiver checks again. */
  readonly input: unknown
  /** True when the sender would rather have the output as JSON bytes than as a value: it will only pass them on. */
  readonly wantsJson: boolean
  /** When it came into this process, or was made in it, on `clock.monotonicMs()`: reading the clock has its price too. */
  readonly startMs: number
  /** True when it was made in this process: it belongs to work that was let in. Absent: it came over a wire. */
  readonly isLocal?: boolean
}

/** What came of a call: an error, or an output as a value or as JSON bytes. */
export class Reply {
  readonly error: FlotillaError | undefined
  readonly output: unknown
  /** Only where `wantsJson` was asked for and the channel had bytes at hand; then `output` is undefined. */
  readonly json: Uint8Array | undefined
  /** When it was made or arrived, on `clock.monotonicMs()`. */
  readonly endMs: number
  /** True when the command ran at an earlier call with the same idempotency key, and this is what it answered then. */
  readonly isReplayed: boolean

  constructor(
    output: unknown,
    error: FlotillaError | undefined,
    json: Uint8Array | undefined,
    endMs: number,
    isReplayed: boolean,
  ) {
    this.output = output
    this.error = error
    this.json = json
    this.endMs = endMs
    this.isReplayed = isReplayed
  }

  /** The output, read if it came as bytes: each time it is asked for. */
  get value(): unknown {
    return this.json === undefined ? this.output : JSON.parse(Buffer.from(this.json).toString('utf8'))
  }

  static of(output: unknown, endMs: number): Reply {
    return new Reply(output, undefined, undefined, endMs, false)
  }

  static failed(error: FlotillaError, endMs: number, isReplayed = false): Reply {
    return new Reply(undefined, error, undefined, endMs, isReplayed)
  }
}

/**
 * Takes the reply of one call; called exactly once. A function and not a promise, because a call inside one process
 * would otherwise pay for one promise a layer, which is most of what it costs.
 */
export type Settle = (reply: Reply) => void

/** A way to one instance. Both methods may be used many times at once. */
export interface Channel {
  /**
   * Makes a call. A failure of the channel is a reply too, with an error whose `isRemote` is false. It is settled at the
   * latest shortly after `request.deadlineMs`, or when `request.cancellation` stops it.
   */
  call(request: CallRequest, settle: Settle): void
  /** Opens a stream; the iteration throws a `FlotillaError` when it breaks. Leaving the loop cancels it. */
  stream(request: CallRequest): AsyncIterable<unknown>
  /** False once it can take no more calls: the connection broke, or the other side said goodbye. */
  readonly isOpen: boolean
  /** Lets the calls in flight end, then closes. */
  close(): Promise<void>
}

/** The answering end of every wire. Its errors are what a caller gets to see: `isRemote`, though no wire was crossed yet. */
export interface Receiver {
  /** Everything it answers. */
  readonly operations: readonly Operation[]
  /** Answers a call, never later than its deadline. */
  call(request: CallRequest, settle: Settle): void
  /** Answers a stream; the iteration throws a `FlotillaError` to end it with an error. */
  stream(request: CallRequest): AsyncIterable<unknown>
}

/** Where a process listens for calls. */
export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

/** `unix:/run/x.sock` or `tcp:127.0.0.1:4000`. */
export function formatAddress(address: Address): string {
  return address.kind === 'unix' ? `unix:${address.path}` : `tcp:${address.host}:${address.port}`
}

/** Reads what `formatAddress` wrote; undefined when it is something else. */
export function parseAddress(text: string): Address | undefined {
  if (text.startsWith('unix:')) return { kind: 'unix', path: text.slice('unix:'.length) }
  const match = /^tcp:(.+):(\d{1,5})$/.exec(text)
  if (!match) return undefined
  return { kind: 'tcp', host: match[1] as string, port: Number(match[2]) }
}
