/**
 * Calls over HTTP and JSON: the calling side.
 *
 * @module
 */
import type { Dispatcher, Pool } from 'undici'
import type { Operation } from '../../contract/operation.ts'
import { errorOfProblem } from '../../contract/problem.ts'
import { type WrittenRequest, writeInput } from '../../contract/rest.ts'
import { type CancelListener, Cancellation } from '../../kernel/cancellation.ts'
import type { Clock } from '../../kernel/clock.ts'
import { FlotillaError, isFlotillaError } from '../../kernel/error.ts'
import { Timed, type TimerWheel } from '../../kernel/timer-wheel.ts'
import { type CallRequest, type Channel, Reply, type Settle } from '../wire.ts'
import { BODY_BYTES_MAX, boundedText, tooLong } from './bounded-text.ts'
import { headers, OPERATIONS_PATH } from './http-headers.ts'
import { apiPrefix } from './router.ts'
import { readEvents } from './server-sent-events.ts'
import type { WireProblem } from './wire-problem.ts'

/** What a channel needs. */
export interface HttpChannelOptions {
  /** Such as `http://127.0.0.1:4001`. */
  readonly origin: string
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly credential?: string | undefined
}

/** Without a route; or with fields for browsers or of the gateway's checks, which have no place in HTTP between services. */
const isCalledById = ({ rest }: Operation): boolean =>
  rest === undefined || rest.browsing !== undefined || rest.provenKey !== undefined

/** How it is called then: everything is in the body. */
const BY_ID = { method: 'POST', ifMatch: undefined, prefer: undefined } as const

const CONNECTIONS_MAX = 64
/** Shorter than the server's 75 s, so that we never send on a connection it is closing. */
const KEEP_ALIVE_MS = 30_000

/** Opens a channel; connections are made when calls need them. */
export async function openHttpChannel(options: HttpChannelOptions): Promise<Channel> {
  // Loaded here because it costs 14 MB, and most processes speak frames only.
  // The whole package hangs on its default export: it is CommonJS, and a bundle knows no other names of it.
  const { default: undici } = await import('undici')
  const pool = new undici.Pool(options.origin, {
    connections: CONNECTIONS_MAX,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    connect: { timeout: 1_000 },
    // Ours decide: the wheel ends a request at its deadline.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  return new HttpChannel(pool, options)
}

/** Ends a request at its deadline. */
class RequestDeadline extends Timed implements CancelListener {
  readonly cancellation = new Cancellation()

  canceled(error: FlotillaError): void {
    this.cancellation.cancel(error)
  }

  override expire(): void {
    this.cancellation.cancel(new FlotillaError('deadline_exceeded', 'The answer did not come in time.'))
  }
}

class HttpChannel implements Channel {
  readonly #pool: Pool
  readonly #options: HttpChannelOptions
  #closed: Promise<void> | undefined
  isOpen = true

  constructor(pool: Pool, options: HttpChannelOptions) {
    this.#pool = pool
    this.#options = options
  }

  call(request: CallRequest, settle: Settle): void {
    const { clock } = this.#options
    this.#exchange(request).then(
      ({ output, error, isReplayed }) =>
        settle(new Reply(output, error, undefined, clock.monotonicMs(), isReplayed)),
      (error: FlotillaError) => settle(Reply.failed(error, clock.monotonicMs())),
    )
  }

  async *stream(request: CallRequest): AsyncIterable<unknown> {
    const { stopped, release } = this.#begin(request)
    try {
      const { statusCode, headers: received, body } = await this.#send(request, stopped)
      if (statusCode >= 400) throw problemIn(statusCode, received, await boundedText(body, BODY_BYTES_MAX))
      for await (const { name, data } of readEvents(body)) {
        if (name === 'end') return
        if (name === 'error') throw problemIn(500, {}, data)
        yield JSON.parse(data)
      }
      throw new FlotillaError('unavailable', 'The stream broke off.')
    } catch (error) {
      throw this.#asError(error, stopped)
    } finally {
      release()
    }
  }

  close(): Promise<void> {
    this.isOpen = false
    this.#closed ??= this.#pool.close()
    return this.#closed
  }

  async #exchange(request: CallRequest): Promise<Pick<Reply, 'output' | 'error' | 'isReplayed'>> {
    const { stopped, release } = this.#begin(request)
    try {
      const { statusCode, headers: received, body } = await this.#send(request, stopped)
      const text = await boundedText(body, BODY_BYTES_MAX)
      const isReplayed = received[headers.replayed] === 'true'
      if (statusCode >= 400)
        return { output: undefined, error: problemIn(statusCode, received, text), isReplayed }
      return { output: text === '' ? {} : JSON.parse(text), error: undefined, isReplayed }
    } catch (error) {
      throw this.#asError(error, stopped)
    } finally {
      release()
    }
  }

  /** Arms deadline and cancellation of one request. */
  #begin(request: CallRequest): { stopped: Cancellation; release: () => void } {
    const { clock, wheel } = this.#options
    const deadline = new RequestDeadline()
    const { cancellation: stopped } = deadline
    const nowMs = clock.monotonicMs()
    if (!this.isOpen) {
      stopped.cancel(new FlotillaError('unavailable', 'The connection is closing.', { executed: 'no' }))
    } else if (request.deadlineMs <= nowMs) {
      stopped.cancel(new FlotillaError('deadline_exceeded', 'No time left to call.', { executed: 'no' }))
    } else if (request.deadlineMs !== Number.POSITIVE_INFINITY) wheel.add(deadline, request.deadlineMs, nowMs)
    request.cancellation.listen(deadline)
    return {
      stopped,
      release: () => {
        request.cancellation.unlisten(deadline)
        wheel.remove(deadline)
        // Frees the connection when a reader left in the middle; does nothing to a request that is done.
        stopped.cancel(new FlotillaError('canceled', 'The reader left.'))
      },
    }
  }

  #send(request: CallRequest, stopped: Cancellation): Promise<Dispatcher.ResponseData> {
    stopped.throwIfCanceled()
    const { operation } = request
    const input = request.input as Readonly<Record<string, unknown>>
    const isById = isCalledById(operation)
    const written = isById
      ? { ...BY_ID, target: OPERATIONS_PATH + operation.id, body: input }
      : writeInput(operation, input)
    const body = written.body === undefined ? null : JSON.stringify(written.body)
    if (body !== null && Buffer.byteLength(body) > BODY_BYTES_MAX) throw tooLong()
    return this.#pool.request({
      method: written.method,
      path: isById ? written.target : apiPrefix(operation) + written.target,
      headers: this.#headers(request, written, body !== null),
      body,
      signal: stopped.signal,
    })
  }

  #headers(
    request: CallRequest,
    { ifMatch, prefer }: Pick<WrittenRequest, 'ifMatch' | 'prefer'>,
    hasBody: boolean,
  ): Record<string, string> {
    const { caller, deadlineMs } = request
    const leftMs = deadlineMs - this.#options.clock.monotonicMs()
    const fields: Record<string, string | undefined> = {
      'content-type': hasBody ? 'application/json' : undefined,
      [headers.authorization]:
        this.#options.credential === undefined ? undefined : `Bearer ${this.#options.credential}`,
      [headers.caller]: caller.service,
      [headers.user]: caller.token,
      [headers.timeoutMs]: Number.isFinite(leftMs) ? String(Math.ceil(leftMs)) : undefined,
      [headers.criticality]: request.criticality,
      [headers.requestId]: request.requestId,
      [headers.traceparent]: request.trace.toString(),
      [headers.idempotencyKey]: request.idempotencyKey,
      [headers.ifMatch]: ifMatch,
      [headers.prefer]: prefer,
    }
    return Object.fromEntries(
      Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined),
    )
  }

  #asError(error: unknown, stopped: Cancellation): FlotillaError {
    if (isFlotillaError(error)) return error
    if (stopped.error !== undefined) return stopped.error
    const { code } = error as { readonly code?: string }
    const isUnsent = code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'UND_ERR_CONNECT_TIMEOUT'
    return new FlotillaError('unavailable', `No answer from ${this.#options.origin}.`, {
      executed: isUnsent ? 'no' : 'maybe',
      cause: error,
    })
  }
}

/** The error an answer tells of; `status` counts where its body does not say. */
function problemIn(
  status: number,
  received: Dispatcher.ResponseData['headers'],
  text: string,
): FlotillaError {
  let body: Partial<WireProblem> | undefined
  try {
    body = JSON.parse(text)
  } catch {
    // A stranger's error page: its status says enough.
    body = undefined
  }
  const retryAfterS =
    typeof body?.retryAfterMs === 'number'
      ? body.retryAfterMs / 1000
      : Number(received['retry-after'] ?? Number.NaN)
  const ownStatus = typeof body?.status === 'number' ? body.status : status
  return errorOfProblem(ownStatus, body, Number.isFinite(retryAfterS) ? retryAfterS : undefined)
}
