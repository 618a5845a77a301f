/**
 * One request on its way to one foreign server, as those see it who carry it.
 *
 * @module
 */
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { ForeignHead } from './foreign-head.ts'

/** Who has a request: a queue, or a connection. */
export interface Place {
  /** It is not to go on. Its `fail` is not told. */
  drop(): void
  /** More of the answer may come, after `part` said that it is enough. */
  resume(): void
}

/** A request. It is told of one end: `end`, `opened` or `fail`. */
export interface Outgoing {
  readonly method: string
  /** Its head. */
  readonly text: string
  readonly body: Readable | undefined
  /** Of the body; undefined: it goes in chunks. */
  readonly bodyBytes: number | undefined
  /** Asks for another protocol; the server may answer as if it did not. */
  readonly wantsSocket: boolean
  /** Set by who has it; undefined: nobody. */
  place: Place | undefined
  head(head: ForeignHead): void
  /** False: for now it is enough. */
  part(part: Buffer): boolean
  end(): void
  /** From now on the socket is its own; `read` has come on it already. */
  opened(head: ForeignHead, socket: Socket, read: Buffer): void
  /** There is no answer, or no more of it. A FlotillaError says that this is not the server's doing. */
  fail(cause: Error): void
}
