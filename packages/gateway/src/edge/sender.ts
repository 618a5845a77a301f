/**
 * How an exchange ends: with one answer, which has the headers that its stages said and what the operator makes of them.
 *
 * @module
 */
import { asSeenUpstream, type FlotillaError, isFlotillaError } from '@flotilla/core/error'
import type { Turn } from '../http/turn.ts'
import { type Answer, commonHeaders, errorAnswer, fieldsOf, withHeaders } from './answer.ts'
import type { RoutePlan } from './edge-policies.ts'
import type { Edge } from './equipment.ts'
import type { RequestRecord } from './request-record.ts'

/** Sends the answer of one exchange. */
export class Sender {
  readonly #edge: Edge
  readonly #turn: Turn
  readonly #record: RequestRecord
  /** Said by the stages: names and values in turn. */
  readonly headers: string[] = []
  /** True when the answer tells of who asks, or gives them something to keep, whatever the contract says: it is for no shared cache. */
  isForOne = false
  /** What the operator says about this request; undefined: nothing in particular, or not known yet. */
  plan: RoutePlan | undefined

  constructor(edge: Edge, turn: Turn, record: RequestRecord) {
    this.#edge = edge
    this.#turn = turn
    this.#record = record
  }

  /** The headers of the answer: what all have, what the stages said, what it says of itself, and what the operator makes of them. */
  headersWith(own: readonly string[]): readonly string[] {
    const { requestId, trace } = this.#record
    const all = commonHeaders(requestId, trace.toString())
    all.push(...this.headers, ...(this.isForOne ? own.map(ofOne) : own))
    // Who leaves keeps no connection.
    if (this.#edge.runtime.isDraining()) this.#turn.keepsConnection = false
    return withHeaders(all, this.#edge.policies.now.headers, this.plan?.policy.headers)
  }

  /** Answers; `error` is for the record. */
  end(answer: Answer, error?: FlotillaError): void {
    const { head } = this.#turn
    const acceptEncoding = 'why' in head ? undefined : head.acceptEncoding
    const wanted = this.plan?.policy.compress ?? (this.isForOne ? false : undefined)
    const its = this.#edge.compression.of(answer, acceptEncoding, wanted)
    if (!(its instanceof Promise)) return this.#send(its, error)
    its.then(
      (smaller) => this.#send(smaller, error),
      (cause: unknown) => this.fail(cause),
    )
  }

  #send(answer: Answer, error: FlotillaError | undefined): void {
    const { status, body } = answer
    this.#turn.answer(status, this.headersWith(fieldsOf(answer)), body)
    this.#record.ended(status, Buffer.byteLength(body), error)
  }

  /** Answers with what went wrong; where an answer has begun, cuts it. */
  fail(error: unknown): void {
    const known = isFlotillaError(error) ? error : asSeenUpstream(error, {})
    if (!isFlotillaError(error))
      this.#edge.runtime.log.error('the gateway failed', { error, trace_id: this.#record.trace.traceId })
    if (!this.#turn.isAnswered) return this.end(errorAnswer(known, this.#record.trace.traceId), known)
    this.#turn.destroy()
    this.#record.ended(known.status, 0, known)
  }
}

/** The same field of an answer that only one may keep. */
function ofOne(text: string, index: number, fields: readonly string[]): string {
  return index % 2 === 1 && fields[index - 1] === 'cache-control'
    ? text.replace(/\bpublic\b/, 'private')
    : text
}
