/**
 * A request answered by a foreign server: as it comes, in both directions, with what the gateway says of it.
 *
 * @module
 */
import type { Writable } from 'node:stream'
import type { Cancellation } from '@flotilla/core/cancellation'
import type { FlotillaError } from '@flotilla/core/error'
import type { Turn } from '../http/turn.ts'
import type { RequestHead } from '../match/request-head.ts'
import type { ToUpstream } from '../policy/gateway-policies.ts'
import { answerFields, requestFields } from '../upstream/forwarded-headers.ts'
import type { AnswerTaker, Upstream, UpstreamHeaders, UpstreamRequest } from '../upstream/upstream.ts'
import type { Edge } from './equipment.ts'
import type { RequestRecord } from './request-record.ts'

const BODY_BYTES_MAX = 10 * 1024 * 1024
/** Answers up to here are kept until they are whole, and go out in one piece. */
const TOGETHER_BYTES_MAX = 16 * 1024

const BODYLESS = new Set([204, 304])

/** What is known of the request. */
export interface RelayOptions {
  readonly turn: Turn
  readonly head: RequestHead
  readonly upstream: Upstream
  readonly to: ToUpstream
  readonly record: RequestRecord
  readonly isSecure: boolean
  readonly cancellation: Cancellation
  /** The headers of the answer, those of the upstream among them: names and values in turn. */
  readonly headersOf: (theirs: readonly string[]) => readonly string[]
  /** There was no whole answer; `Turn.isAnswered` tells whether one was begun. */
  readonly onFail: (error: FlotillaError) => void
}

/** Asks, and answers. */
export function relay(_: Edge, options: RelayOptions): void {
  const { upstream, turn } = options
  upstream.send(
    upstreamRequest(options),
    turn.method === 'HEAD' ? new HeadTaker(options) : new Taker(options),
  )
}

/** What the upstream is asked: built anew, with what the gateway knows. */
export function upstreamRequest(options: RelayOptions): UpstreamRequest {
  const { turn, head, to, record, isSecure, cancellation } = options
  const { address, requestId, trace, user } = record
  const { host, search } = head
  const path = `${to.prepend ?? ''}${head.path.slice(to.strip?.length ?? 0)}` || '/'
  const length = head.contentLength === undefined ? [] : ['content-length', String(head.contentLength)]
  return {
    method: turn.method,
    path: search === '' ? path : `${path}?${search}`,
    host: to.keepsHost ? host : undefined,
    headers: [
      ...requestFields(head.rawHeaders, to.keepsAuthorization ?? false),
      ...(head.hasBody ? length : []),
      ...[
        'x-forwarded-for',
        address,
        'x-forwarded-host',
        host,
        'x-forwarded-proto',
        isSecure ? 'https' : 'http',
      ],
      ...['x-request-id', requestId, 'traceparent', trace.toString()],
      ...(user === undefined ? [] : ['x-user-id', user.id, 'x-user-roles', user.roles.join(',')]),
    ],
    body: head.hasBody ? turn.streamBody(to.bodyBytesMax ?? BODY_BYTES_MAX) : undefined,
    length: head.contentLength,
    cancellation,
  }
}

/** Passes an answer on. */
class Taker implements AnswerTaker {
  readonly #options: RelayOptions
  #status = 0
  #headers: readonly string[] = []
  #bytes = 0
  /** Absent: the answer is short, and gathered. */
  #stream: Writable | undefined
  readonly #parts: Buffer[] = []

  constructor(options: RelayOptions) {
    this.#options = options
  }

  head(status: number, headers: UpstreamHeaders, resume: () => void): void {
    this.#status = status
    this.#headers = this.#options.headersOf(answerFields(headers))
    const length = BODYLESS.has(status) ? 0 : lengthOf(headers)
    if (length !== undefined && length <= TOGETHER_BYTES_MAX) return
    this.#stream = this.#options.turn.stream(status, this.#headers, length)
    this.#stream.on('drain', resume)
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
    else turn.answer(this.#status, this.#headers, Buffer.concat(this.#parts))
    record.ended(this.#status, this.#bytes, undefined)
  }

  fail(error: FlotillaError): void {
    this.#options.onFail(error)
  }
}

/** The same for HEAD: its answers have a length and no body. */
class HeadTaker implements AnswerTaker {
  readonly #options: RelayOptions
  #end: () => void = () => {}

  constructor(options: RelayOptions) {
    this.#options = options
  }

  head(status: number, headers: UpstreamHeaders): void {
    const { turn, headersOf, record } = this.#options
    this.#end = () => {
      turn.stream(status, headersOf(answerFields(headers)), lengthOf(headers) ?? 0).end()
      record.ended(status, 0, undefined)
    }
  }

  part(): boolean {
    return true
  }

  end(): void {
    this.#end()
  }

  fail(error: FlotillaError): void {
    this.#options.onFail(error)
  }
}

function lengthOf(headers: UpstreamHeaders): number | undefined {
  const text = headers['content-length']
  return typeof text === 'string' ? Number(text) : undefined
}
