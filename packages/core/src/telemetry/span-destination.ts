/**
 * Spans on their way to one endpoint. What it has not taken yet waits here, within a bound; the oldest are dropped, and counted. So an endpoint
 * that is slow or away costs some memory, and holds up no other.
 *
 * @module
 */
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from './log.ts'
import type { OtlpSender, Outcome } from './otlp-sender.ts'

/** Some spans, written once for all endpoints. */
export interface SpanBatch {
  /** The request. */
  readonly body: string
  readonly spans: number
}

/** What became of spans: the endpoint took them, or refused them, or was not ready for them in time. */
export type SpanOutcome = 'sent' | 'refused' | 'dropped'

/** What a destination is made of. */
export interface SpanDestinationOptions {
  /** What it is called in metrics and in the log. */
  readonly name: string
  readonly sender: OtlpSender
  /** How long one request may take. */
  readonly timeoutMs: number
}

/** Requests that wait for one endpoint: about 8,000 spans. */
const WAITING_CHARS_MAX = 4 * 1024 * 1024
/** Nobody need know of less: a control process that starts last, or again, and nothing is lost. */
const PATIENCE_MS = 10_000

/** One endpoint, and what waits for it. */
export class SpanDestination {
  readonly #options: SpanDestinationOptions
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #log: Logger
  readonly #count: (outcome: SpanOutcome, spans: number) => void
  readonly #waiting: SpanBatch[] = []
  #waitingChars = 0
  /** Is being sent, or to be sent again: it is not dropped. */
  #held: SpanBatch | undefined
  #isSending = false
  #sending: Promise<void> = Promise.resolve()
  #closeByMs = Number.POSITIVE_INFINITY
  #troubledSinceMs: number | undefined
  #isTold = false

  constructor(
    options: SpanDestinationOptions,
    clock: Pick<Clock, 'monotonicMs'>,
    log: Logger,
    count: (outcome: SpanOutcome, spans: number) => void,
  ) {
    this.#options = options
    this.#clock = clock
    this.#log = log
    this.#count = count
  }

  /** True when it has taken all, and would take more. */
  get isIdle(): boolean {
    return !this.#isSending && this.#held === undefined && this.#waiting.length === 0 && this.#isOpen
  }

  /** Has them wait until they can be sent. They make room for themselves: what is dropped has waited longer. */
  put(batches: readonly SpanBatch[]): void {
    const chars = batches.reduce((sum, { body }) => sum + body.length, 0)
    while (this.#waiting.length > 0 && this.#waitingChars + chars > WAITING_CHARS_MAX)
      this.#count('dropped', this.#next()?.spans ?? 0)
    this.#waiting.push(...batches)
    this.#waitingChars += chars
  }

  /** Sends what waits. Resolves when nothing does, or the endpoint is to be left alone for a while. */
  send(): Promise<void> {
    if (!this.#isSending) {
      this.#isSending = true
      this.#sending = this.#sendAll()
    }
    return this.#sending
  }

  /** From here on: nothing is sent after this, on the monotonic clock. */
  closeBy(timeMs: number): void {
    this.#closeByMs = timeMs
  }

  get #isOpen(): boolean {
    return this.#options.sender.isOpen
  }

  #next(): SpanBatch | undefined {
    const batch = this.#waiting.shift()
    this.#waitingChars -= batch?.body.length ?? 0
    return batch
  }

  async #sendAll(): Promise<void> {
    const { sender, timeoutMs } = this.#options
    try {
      while (this.#isOpen) {
        const leftMs = this.#closeByMs - this.#clock.monotonicMs()
        this.#held ??= leftMs > 0 ? this.#next() : undefined
        if (this.#held === undefined || leftMs <= 0) return
        const outcome = await sender.send(this.#held.body, Math.min(timeoutMs, leftMs))
        this.#tell(sender.trouble, outcome)
        if (outcome === 'wait') continue
        this.#count(outcome === 'taken' ? 'sent' : 'refused', this.#held.spans)
        this.#held = undefined
      }
    } finally {
      this.#isSending = false
    }
  }

  /** Once for each trouble: at once where spans are lost, after a while where they wait. */
  #tell(trouble: string | undefined, outcome: Outcome): void {
    const to = this.#options.name
    if (trouble === undefined) {
      if (this.#isTold) this.#log.info('spans are taken again', { to })
      this.#isTold = false
      this.#troubledSinceMs = undefined
      return
    }
    const nowMs = this.#clock.monotonicMs()
    this.#troubledSinceMs ??= nowMs
    if (this.#isTold || (outcome === 'wait' && nowMs - this.#troubledSinceMs < PATIENCE_MS)) return
    this.#log.warn('spans are not taken', { to, why: trouble })
    this.#isTold = true
  }
}
