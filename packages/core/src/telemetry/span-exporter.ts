/**
 * Hands the wanted spans of a process on, every second, and tells other processes which traces to keep.
 *
 * The ring is the queue: what is not sent in time is overwritten, and counted. So a backend that is away costs a process nothing but its
 * spans.
 *
 * @module
 */
import type { Clock } from '../kernel/clock.ts'
import type { Random } from '../kernel/random.ts'
import { Ticker } from '../kernel/ticker.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { OtlpSender } from './otlp-sender.ts'
import { otlpTraces } from './otlp-traces.ts'
import type { ResourceFacts } from './otlp-values.ts'
import type { Span, SpanRing } from './spans.ts'
import { WallOffset } from './wall-offset.ts'

const TURN_MS = 1_000
/** Spans of one request: some 2 ms of the event loop. */
const BATCH_MAX = 256
/** Of one turn; the rest waits for the next. */
const BATCHES_MAX = 16
/** What is left at closing gets so long. */
const CLOSING_MS_MAX = 2_000

/** What an exporter is made of. */
export interface SpanExporterOptions {
  readonly ring: SpanRing
  readonly sender: OtlpSender
  readonly facts: ResourceFacts
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
  /** How long one request may take. */
  readonly timeoutMs: number
  /** Told the ids of traces that this process has seen to be slow or to fail; for the others' `KeptTraces.addOf`. */
  readonly onKept: (traceIds: readonly string[]) => void
}

/** The exporter; it runs from the beginning. */
export class SpanExporter {
  readonly #options: SpanExporterOptions
  readonly #offset: WallOffset
  readonly #ticker: Ticker
  readonly #count: (what: 'sent' | 'overwritten' | 'refused', spans: number) => void
  /** Taken from the ring, and not by the endpoint yet. */
  #held: readonly Span[] = []
  #closeByMs = Number.POSITIVE_INFINITY
  #isTroubled = false

  constructor(options: SpanExporterOptions) {
    const { clock, random, metrics, ring, log } = options
    this.#options = options
    this.#offset = new WallOffset(clock)
    const help = 'Spans that were to be exported: sent, overwritten before they could be, or refused.'
    const counter = metrics.counter('flotilla_spans_exported_total', help, ['outcome'])
    this.#count = (outcome, spans) => counter.with(outcome).add(spans)
    this.#count('sent', 0)
    metrics.onScrape(() => {
      counter.with('overwritten').value = ring.lost
    })
    const refused = metrics.counter(
      'flotilla_traces_not_kept_total',
      'Slow or failed traces that were not kept, because there were too many.',
    )
    metrics.onScrape(() => {
      refused.with().value = ring.kept.refused
    })
    this.#ticker = new Ticker({
      clock,
      random,
      intervalMs: TURN_MS,
      turn: () => this.#turn(),
      onError: (error) => log.error('spans could not be exported', { error }),
    })
  }

  /** Sends what is left, for two seconds at most. */
  async close(): Promise<void> {
    const { clock } = this.#options
    this.#closeByMs = clock.monotonicMs() + CLOSING_MS_MAX
    const late = new AbortController()
    const timeIsUp = clock.sleep(CLOSING_MS_MAX, late.signal).catch(() => {
      // It was done in time.
    })
    await Promise.race([this.#ticker.close().then(() => this.#turn()), timeIsUp])
    late.abort()
  }

  async #turn(): Promise<void> {
    const { ring, sender, onKept } = this.#options
    this.#offset.look()
    ring.markKept()
    const fresh = ring.kept.takeFresh()
    if (fresh.length > 0) onKept(fresh)
    ring.kept.age()
    for (let batches = 0; batches < BATCHES_MAX && sender.isOpen; batches++) {
      if (this.#held.length === 0) this.#held = ring.take(BATCH_MAX)
      if (this.#held.length === 0 || !(await this.#sendHeld())) return
    }
  }

  /** False when it is to be tried later. */
  async #sendHeld(): Promise<boolean> {
    const { sender, facts, clock, timeoutMs } = this.#options
    const leftMs = this.#closeByMs - clock.monotonicMs()
    if (leftMs <= 0) return false
    const body = otlpTraces(this.#held, facts, this.#offset.look())
    const outcome = await sender.send(body, Math.min(timeoutMs, leftMs))
    this.#tell(sender.trouble)
    if (outcome === 'wait') return false
    this.#count(outcome === 'taken' ? 'sent' : 'refused', this.#held.length)
    this.#held = []
    return true
  }

  /** Once for each time that it gets worse. */
  #tell(trouble: string | undefined): void {
    const { log } = this.#options
    if (trouble !== undefined && !this.#isTroubled) log.warn('spans are not taken', { why: trouble })
    if (trouble === undefined && this.#isTroubled) log.info('spans are taken again')
    this.#isTroubled = trouble !== undefined
  }
}
