/**
 * Hands the wanted spans of a process on, every two seconds and whenever there are enough for a request, and tells other processes which traces to keep.
 *
 * Spans are taken out of the ring whenever half of it is new, and written once, for all destinations, as soon as one of them has taken what came before:
 * the quickest sets the pace, for the others they wait (`span-destination.ts`). While none takes anything they stay in the ring, where the oldest are
 * overwritten, and counted. So a backend that is away costs a process nothing but its spans.
 *
 * @module
 */
import type { Clock } from '../kernel/clock.ts'
import type { Random } from '../kernel/random.ts'
import { Ticker } from '../kernel/ticker.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import { otlpTraces } from './otlp-traces.ts'
import type { ResourceFacts } from './otlp-values.ts'
import { type SpanBatch, SpanDestination, type SpanDestinationOptions } from './span-destination.ts'
import type { Span, SpanRing } from './spans.ts'
import { WallOffset } from './wall-offset.ts'

/** Every process does it, and mostly the code for it has to be fetched from memory first: in a fleet that costs more than the spans do. */
const TURN_MS = 2_000
/** Spans of one request: some 2 ms of the event loop. */
const BATCH_MAX = 256
/** Of one request, where its spans are large: receivers, ours too, take 4 MiB, and a character has up to three bytes. */
const BODY_CHARS_MAX = 1024 * 1024
/** Of one turn; the rest waits for the next. */
const BATCHES_MAX = 16
/** What is left at closing gets so long. */
const CLOSING_MS_MAX = 2_000

/** What an exporter is made of. */
export interface SpanExporterOptions {
  readonly ring: SpanRing
  /** Each gets all of it. */
  readonly to: readonly SpanDestinationOptions[]
  readonly facts: ResourceFacts
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
  /** Told the ids of traces that this process has seen to be slow or to fail; for the others' `KeptTraces.addOf`. */
  readonly onKept: (traceIds: readonly string[]) => void
}

/** The exporter; it runs from the beginning. */
export class SpanExporter {
  readonly #options: SpanExporterOptions
  readonly #offset: WallOffset
  readonly #ticker: Ticker
  readonly #destinations: readonly SpanDestination[]
  /** Out of the ring, for the next request. */
  #gathered: Span[] = []
  /** It is time: also for a request of few. */
  #isDue = false
  #isHandingOn = false
  #handingOn: Promise<void> = Promise.resolve()

  constructor(options: SpanExporterOptions) {
    const { clock, random, log } = options
    this.#options = options
    this.#offset = new WallOffset(clock)
    this.#destinations = openDestinations(options)
    this.#ticker = new Ticker({
      clock,
      random,
      intervalMs: TURN_MS,
      turn: () => this.#turn(),
      onError: (error) => log.error('spans could not be exported', { error }),
    })
    // Not within what has just ended a span.
    options.ring.onHalf = () => void clock.schedule(0, () => this.#gather())
  }

  /** Sends what is left, for two seconds at most. */
  async close(): Promise<void> {
    const { clock } = this.#options
    const closeByMs = clock.monotonicMs() + CLOSING_MS_MAX
    for (const destination of this.#destinations) destination.closeBy(closeByMs)
    const late = new AbortController()
    const timeIsUp = clock.sleep(CLOSING_MS_MAX, late.signal).catch(() => {
      // It was done in time.
    })
    await Promise.race([this.#finish(), timeIsUp])
    late.abort()
  }

  /** Waits for no endpoint: the other processes are to hear of kept traces in time. */
  async #turn(): Promise<void> {
    this.#look()
    this.#isDue = true
    this.#gather()
    this.#handOnNow()
  }

  /** Before they are overwritten; under load that is several times a second, and a few spans are no reason for a request. */
  #gather(): void {
    const { ring } = this.#options
    ring.markKept()
    this.#gathered.push(...ring.take(BATCH_MAX - this.#gathered.length))
    if (this.#gathered.length === BATCH_MAX) this.#handOnNow()
  }

  #handOnNow(): void {
    for (const destination of this.#destinations) void destination.send()
    if (this.#isHandingOn) return
    this.#isHandingOn = true
    this.#handingOn = this.#handOn().catch((error: unknown) =>
      this.#options.log.error('spans could not be exported', { error }),
    )
  }

  #look(): void {
    const { ring, onKept } = this.#options
    this.#offset.look()
    const fresh = ring.kept.takeFresh()
    if (fresh.length > 0) onKept(fresh)
    ring.kept.age()
  }

  async #handOn(): Promise<void> {
    try {
      for (let batches = 0; batches < BATCHES_MAX; batches++) {
        const ready = this.#destinations.filter(({ isIdle }) => isIdle)
        if (ready.length === 0 || !this.#putNext()) return
        await Promise.race(ready.map((destination) => destination.send()))
      }
    } finally {
      this.#isDue = false
      this.#isHandingOn = false
    }
  }

  async #finish(): Promise<void> {
    const { ring } = this.#options
    ring.onHalf = () => {}
    await this.#ticker.close()
    await this.#handingOn
    this.#look()
    this.#isDue = true
    this.#gather()
    for (let batches = 0; batches < BATCHES_MAX && this.#putNext(); batches++);
    await Promise.all(this.#destinations.map((destination) => destination.send()))
  }

  /** Writes some spans for everybody; false: there are too few. */
  #putNext(): boolean {
    const spans = this.#gathered
    spans.push(...this.#options.ring.take(BATCH_MAX - spans.length))
    if (spans.length < (this.#isDue ? 1 : BATCH_MAX)) return false
    this.#gathered = []
    const batches = this.#batchesOf(spans)
    for (const destination of this.#destinations) destination.put(batches)
    return true
  }

  #batchesOf(spans: readonly Span[]): readonly SpanBatch[] {
    const body = otlpTraces(spans, this.#options.facts, this.#offset.look())
    if (body.length <= BODY_CHARS_MAX || spans.length === 1) return [{ body, spans: spans.length }]
    const half = spans.length >> 1
    return [...this.#batchesOf(spans.slice(0, half)), ...this.#batchesOf(spans.slice(half))]
  }
}

function openDestinations({
  to,
  clock,
  log,
  metrics,
  ring,
}: SpanExporterOptions): readonly SpanDestination[] {
  const help =
    'Spans that were to be exported, by destination: sent, refused, dropped while they waited, or overwritten before.'
  const counter = metrics.counter('flotilla_spans_exported_total', help, ['to', 'outcome'])
  metrics.onScrape(() => {
    for (const { name } of to) counter.with(name, 'overwritten').value = ring.lost
  })
  const refused = metrics.counter(
    'flotilla_traces_not_kept_total',
    'Slow or failed traces that were not kept, because there were too many.',
  )
  metrics.onScrape(() => {
    refused.with().value = ring.kept.refused
  })
  return to.map((its) => {
    counter.with(its.name, 'sent')
    return new SpanDestination(its, clock, log, (outcome, spans) =>
      counter.with(its.name, outcome).add(spans),
    )
  })
}
