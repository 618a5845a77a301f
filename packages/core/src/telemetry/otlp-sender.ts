/**
 * Sends OTLP requests to one endpoint: what it cannot take now is sent again, with growing waits, and given up in the end.
 *
 * @source https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
 * @module
 */
import type { Clock } from '../kernel/clock.ts'
import type { Random } from '../kernel/random.ts'

/** What came of a request; it has been answered, or not. */
export interface Posted {
  /** 0: there was no answer. */
  readonly status: number
  /** What the answer's Retry-After asks for, in seconds; 0 when it does not. */
  readonly retryAfterS: number
  readonly body: string
}

/** Makes one request, within `timeoutMs`; never rejects. */
export type Post = (body: string, timeoutMs: number) => Promise<Posted>

/** What became of what was to be sent. `wait`: try later. */
export type Outcome = 'taken' | 'refused' | 'wait'

const RETRYABLE: ReadonlySet<number> = new Set([0, 429, 502, 503, 504])
const ATTEMPTS_MAX = 6
const WAIT = { baseMs: 1_000, capMs: 30_000 }

/** One endpoint. */
export class OtlpSender {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #random: Random
  readonly #post: Post
  #attempts = 0
  #notBeforeMs = Number.NEGATIVE_INFINITY
  /** Why the last one was not taken; undefined when it was. */
  trouble: string | undefined

  constructor(clock: Pick<Clock, 'monotonicMs'>, random: Random, post: Post) {
    this.#clock = clock
    this.#random = random
    this.#post = post
  }

  /** False while it is to be left alone. */
  get isOpen(): boolean {
    return this.#clock.monotonicMs() >= this.#notBeforeMs
  }

  /** Sends `body`; after `wait` the same one is to be given again, once the sender is open. */
  async send(body: string, timeoutMs: number): Promise<Outcome> {
    const { status, retryAfterS, body: answer } = await this.#post(body, timeoutMs)
    if (status >= 200 && status < 300) {
      this.#attempts = 0
      this.trouble = rejectedIn(answer)
      return 'taken'
    }
    this.trouble = status === 0 ? 'no answer' : `status ${status}`
    if (!RETRYABLE.has(status) || ++this.#attempts >= ATTEMPTS_MAX) {
      this.#attempts = 0
      return 'refused'
    }
    // Full jitter, so that the processes of a fleet do not come back together.
    const waitMs = this.#random.next() * Math.min(WAIT.capMs, WAIT.baseMs * 2 ** this.#attempts)
    const askedMs = Math.min(WAIT.capMs, retryAfterS * 1_000)
    this.#notBeforeMs = this.#clock.monotonicMs() + Math.max(waitMs, askedMs)
    return 'wait'
  }
}

/** What a server that took some of it says of the rest. */
function rejectedIn(answer: string): string | undefined {
  if (!answer.includes('partialSuccess')) return undefined
  try {
    const { partialSuccess } = JSON.parse(answer) as { partialSuccess?: { errorMessage?: unknown } }
    const message = partialSuccess?.errorMessage
    return typeof message === 'string' && message !== '' ? message.slice(0, 200) : undefined
  } catch {
    // Not JSON: it was taken all the same.
    return undefined
  }
}
