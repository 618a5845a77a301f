/**
 * One request and the place of its answer, whatever carries them.
 *
 * @module
 */
import type { Duplex, Readable, Writable } from 'node:stream'
import type { HeadRefusal } from '../match/head-fields.ts'
import type { RequestHead } from '../match/request-head.ts'
import type { Peer } from './tls-front.ts'

/** Statuses of answers that have no body. */
export const NO_BODY: ReadonlySet<number> = new Set([204, 304])

/** A request to be answered, once. */
export interface Turn {
  readonly method: string
  /** As it was sent. */
  readonly target: string
  readonly head: RequestHead | HeadRefusal
  /** Of the other end of the connection. */
  readonly remoteAddress: string
  readonly peer: Peer
  /** True when the client is gone, or there is an answer already. */
  readonly isOver: boolean
  /** True as soon as an answer has begun. */
  readonly isAnswered: boolean
  /** May be set to false: the connection then closes after the answer. One of HTTP/2 does not: its streams know nothing of each other. */
  keepsConnection: boolean
  /** Told once, when the client goes before its answer is whole. */
  onHangUp: (() => void) | undefined
  /**
   * The whole body.
   *
   * @throws FlotillaError `invalid_argument` when it is none or has more bytes than `bytesMax` (413), does not come in time (408);
   *   `canceled` when the client hangs up.
   */
  readBody(bytesMax: number): Promise<Buffer>
  /** The body as it comes; it fails as `readBody` does. */
  streamBody(bytesMax: number): Readable
  /** Answers. `headers` are names and values in turn, without those that tell of the length. */
  answer(status: number, headers: readonly string[], body: string | Uint8Array): void
  /**
   * Begins an answer, of so many bytes if that is known; what is destroyed before its end takes the connection with it, or the stream.
   * To HEAD, and of a status without a body, nothing is written to it.
   */
  stream(status: number, headers: readonly string[], length?: number): Writable
  /**
   * Leaves the connection to whoever asks, to speak another protocol on it; gives also what was read already. Undefined where the
   * connection is not the request's alone.
   */
  takeOver(): { readonly socket: Duplex; readonly read: Buffer } | undefined
  /** Cuts the connection, or the stream. */
  destroy(): void
}
