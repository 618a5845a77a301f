/**
 * One try of a request at a foreign server: what comes of it goes on to who takes the answer, and what it says of the server to who counts.
 *
 * @module
 */
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { CancelListener, Cancellation } from '@flotilla/core/cancellation'
import { type FlotillaError, isFlotillaError } from '@flotilla/core/error'
import type { ForeignHead } from './foreign-head.ts'
import type { Outgoing, Place } from './outgoing.ts'
import type { Asked, Outcome } from './targets.ts'

/** A request. */
export interface UpstreamRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Undefined: that of the target. */
  readonly host: string | undefined
  /** Fields without those of host, connection and body, as lines, each with its end. */
  readonly lines: string
  readonly body: Readable | undefined
  /** Bytes of the body; undefined: nobody knows yet. */
  readonly bodyBytes: number | undefined
  readonly cancellation: Cancellation
}

/** Lets more of an answer come. */
export interface Flow {
  /** May be called after `part` said that it is enough. */
  resume(): void
}

/** Takes the answer. */
export interface AnswerTaker {
  head(head: ForeignHead, flow: Flow): void
  /** False: for now it is enough. */
  part(part: Buffer): boolean
  end(): void
  /** There is none, or no more of it. */
  fail(error: FlotillaError): void
  /** Present: a WebSocket is asked for, and this takes it, if there is one; `read` has come on it already. */
  opened?(head: ForeignHead, socket: Socket, read: Buffer): void
}

const SERVER_FAULT = 500

/** One try. It may be called off, and tells of its end once. */
export class Attempt implements Outgoing, CancelListener, Flow {
  readonly method: string
  readonly text: string
  readonly body: Readable | undefined
  readonly bodyBytes: number | undefined
  readonly wantsSocket: boolean
  place: Place | undefined
  /** True when something of an answer has come. */
  hasBegun = false
  readonly #cancellation: Cancellation
  readonly #taker: AnswerTaker
  readonly #asked: Asked
  readonly #onFail: (cause: Error) => void
  #status = 0

  /** @param onFail told when there is no answer, or no more of it, in place of the taker */
  constructor(
    { method, body, bodyBytes, cancellation }: UpstreamRequest,
    text: string,
    taker: AnswerTaker,
    asked: Asked,
    onFail: (cause: Error) => void,
  ) {
    this.method = method
    this.text = text
    this.body = body
    this.bodyBytes = bodyBytes
    this.wantsSocket = taker.opened !== undefined
    this.#cancellation = cancellation
    this.#taker = taker
    this.#asked = asked
    this.#onFail = onFail
  }

  /** Sets out. */
  start(servers: { ask(outgoing: Outgoing): void }): void {
    const { error } = this.#cancellation
    if (error !== undefined) return this.fail(error)
    this.#cancellation.listen(this)
    servers.ask(this)
  }

  canceled(error: FlotillaError): void {
    this.place?.drop()
    this.fail(error)
  }

  resume(): void {
    this.place?.resume()
  }

  head(head: ForeignHead): void {
    this.hasBegun = true
    this.#status = head.status
    this.#asked.answered()
    this.#taker.head(head, this)
  }

  part(part: Buffer): boolean {
    return this.#taker.part(part)
  }

  end(): void {
    this.#taker.end()
    this.#leave(this.#status >= SERVER_FAULT ? 'failed' : 'well')
  }

  opened(head: ForeignHead, socket: Socket, read: Buffer): void {
    this.#leave('well')
    this.#taker.opened?.(head, socket, read)
  }

  fail(cause: Error): void {
    // What is the matter with the request, or who asked for it, says nothing of the server.
    this.#leave(isFlotillaError(cause) ? 'unknown' : 'failed')
    this.#onFail(cause)
  }

  #leave(outcome: Outcome): void {
    this.#cancellation.unlisten(this)
    this.#asked.ended(outcome)
  }
}
