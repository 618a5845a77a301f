/**
 * A request answered by a foreign server: as it comes, in both directions, with what the gateway says of it.
 *
 * @module
 */
import type { Writable } from 'node:stream'
import type { Cancellation } from '@flotilla/core/cancellation'
import type { FlotillaError } from '@flotilla/core/error'
import { NO_BODY, type Turn } from '../http/turn.ts'
import type { RequestHead } from '../match/request-head.ts'
import type { ToUpstream } from '../policy/gateway-policies.ts'
import type { AnswerTaker, Flow, UpstreamRequest } from '../upstream/attempt.ts'
import type { ForeignHead } from '../upstream/foreign-head.ts'
import { forwardedLines } from '../upstream/forwarded-headers.ts'
import { linesOf } from '../upstream/request-text.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Edge } from './equipment.ts'
import type { RequestRecord } from './request-record.ts'

const BODY_BYTES_MAX = 10 * 1024 * 1024
/** Answers up to here are kept until they are whole, and go out in one piece. */
const TOGETHER_BYTES_MAX = 16 * 1024
const EVENT_STREAM = /^text\/event-stream\s*(?:;|$)/i

/** What is known of the request. */
export interface RelayOptions {
  readonly turn: Turn
  readonly head: RequestHead
  readonly record: RequestRecord
  readonly cancellation: Cancellation
  /** The headers of the answer, with those of the upstream: names and values in turn. */
  readonly headersWith: (theirs: readonly string[]) => readonly string[]
  /** There was no whole answer; `Turn.isAnswered` tells whether one was begun. */
  readonly onFail: (error: FlotillaError) => void
}

/** Asks, and answers. */
export function relay(edge: Edge, upstream: Upstream, to: ToUpstream, options: RelayOptions): void {
  upstream.send(upstreamRequest(to, options), new Taker(edge, options))
}

/** What the upstream is asked: built anew, with what the gateway knows. */
export function upstreamRequest(to: ToUpstream, options: RelayOptions): UpstreamRequest {
  const { turn, head, record, cancellation } = options
  const { host, search } = head
  const path = `${to.prepend ?? ''}${withoutParts(head.path, to.strip)}` || '/'
  return {
    method: turn.method,
    path: search === '' ? path : `${path}?${search}`,
    host: to.keepsHost ? host : undefined,
    lines:
      forwardedLines(head.rawHeaders, to.keepsAuthorization ?? false) +
      linesOf(aboutClient(turn, host, record)),
    bodyBytes: head.contentLength,
    body: head.hasBody ? turn.streamBody(to.bodyBytesMax ?? BODY_BYTES_MAX) : undefined,
    cancellation,
  }
}

/** What the gateway knows of the request, for a foreign server: names and values in turn. */
export function aboutClient(
  { peer }: Turn,
  host: string,
  { address, requestId, trace, user }: RequestRecord,
): readonly string[] {
  return [
    ...['x-forwarded-for', address, 'x-forwarded-host', host],
    ...['x-forwarded-proto', peer.tlsVersion === undefined ? 'http' : 'https'],
    ...['x-request-id', requestId, 'traceparent', trace.toString()],
    ...(user === undefined ? [] : ['x-user-id', user.id, 'x-user-roles', user.roles.join(',')]),
  ]
}

/** A path without as many parts at its beginning as `strip` has: they are the same, but may be escaped. */
function withoutParts(path: string, strip: string | undefined): string {
  if (strip === undefined) return path
  const parts = path.split('/')
  parts.splice(1, strip.split('/').length - 1)
  return parts.join('/')
}

/** Passes an answer on. */
export class Taker implements AnswerTaker {
  readonly #edge: Edge
  readonly #options: RelayOptions
  #status = 0
  #headers: readonly string[] = []
  #bytes = 0
  /** Absent: the answer is short, and gathered. */
  #stream: Writable | undefined
  readonly #parts: Buffer[] = []

  constructor(edge: Edge, options: RelayOptions) {
    this.#edge = edge
    this.#options = options
  }

  head({ status, fields, contentType, contentLength: length }: ForeignHead, flow: Flow): void {
    const { turn, record, cancellation, headersWith } = this.#options
    this.#status = status
    // It has no end that leaving could wait for.
    const isEvents = contentType !== undefined && EVENT_STREAM.test(contentType)
    if (isEvents) turn.keepsConnection = false
    this.#headers = headersWith(fields)
    const hasBody = turn.method !== 'HEAD' && !NO_BODY.has(status)
    if (hasBody && length !== undefined && length <= TOGETHER_BYTES_MAX) return
    this.#stream = turn.stream(status, this.#headers, length)
    this.#stream.on('drain', () => flow.resume())
    if (isEvents) this.#edge.streams.add(cancellation, record.asker)
  }

  part(part: Buffer): boolean {
    this.#bytes += part.length
    if (this.#stream !== undefined) return this.#stream.write(part)
    this.#parts.push(part)
    return true
  }

  end(): void {
    const { turn, record } = this.#options
    if (this.#stream !== undefined) this.#stream.end()
    else
      turn.answer(
        this.#status,
        this.#headers,
        this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts),
      )
    this.#forget()
    record.ended(this.#status, this.#bytes, undefined)
  }

  fail(error: FlotillaError): void {
    this.#forget()
    this.#options.onFail(error)
  }

  #forget(): void {
    this.#edge.streams.delete(this.#options.cancellation)
  }
}
