/**
 * What happened in this process lately: every finished span, in a ring of fixed size that overwrites its oldest.
 *
 * Numbers live in a typed array and the rest in a plain one, so that recording a span allocates nothing; what belongs to one span lies side by side,
 * since in a process that does other things as well, each place in memory that is touched costs more than all the instructions do.
 *
 * The ring is the queue of the exporter as well. Each slot is *free* (its trace is not chosen), *wanted* (it is, and the span waits to be
 * sent) or *taken*. Spans of a trace that was chosen at its beginning are wanted at once. The others lie there, and become wanted when
 * something in their trace is seen to be slow or to fail, here or in another process (`kept-traces.ts`).
 *
 * @module
 */
import { type Code, codes } from '../kernel/code.ts'
import { hex32 } from '../kernel/ids.ts'
import type { TraceContext } from '../kernel/trace-context.ts'
import { KeptTraces } from './kept-traces.ts'

/** Which side of a call a span tells of; `producer` and `consumer` are those of an event. */
export type SpanKind = 'client' | 'server' | 'internal' | 'producer' | 'consumer'

/** What is known of a span besides; a few, short, and never what a person or a secret is called. */
export type Attributes = Readonly<Record<string, string | number | boolean>>

/** One finished span. */
export interface Span {
  readonly service: string
  readonly name: string
  readonly kind: SpanKind
  readonly traceId: string
  readonly spanId: string
  /** Absent: the first span of its trace. */
  readonly parentId: string | undefined
  /** On the process's monotonic clock. */
  readonly startMs: number
  readonly durationMs: number
  readonly code: Code | 'ok'
  readonly attributes: Attributes | undefined
}

/** What of a span is told after its service. */
type RecordedSpan =
  Parameters<SpanRing['record']> extends [service: string, ...span: infer Rest] ? Rest : never

/** Records the spans of one service. */
export interface SpanRecorder {
  /** Records a finished span: see `SpanRing.record`. */
  readonly record: (...span: RecordedSpan) => void
}

/** Attributes of a span that lasts as long as somebody waits for something to happen: it is never slow. */
export const waits: Attributes = { 'flotilla.waits': true }

/** True for a failure that is no mistake of the caller. */
export function isFailure(code: Code | 'ok'): boolean {
  return code !== 'ok' && codes[code].status >= 500
}

/** How a ring is. */
export interface SpanRingOptions {
  /** How many spans are kept; about 110 bytes each. Default 8,192. */
  readonly sizeMax?: number
  /** What takes longer is slow. Default 500. */
  readonly slowMs?: number
  /** True where somebody takes what is wanted. Default false. */
  readonly isExported?: boolean
  /** True: nothing is recorded. Default false. */
  readonly isOff?: boolean
}

/** Of 32 bits, for each span: four of the trace's id, two of its own, two of its parent's; then its beginning and duration, of 64 bits each. */
const WORDS = 12
const DOUBLES = WORDS / 2
const TIMES = 4
/** Its service, name, kind, code and attributes. */
const PARTS = 5
const [FREE, WANTED, TAKEN] = [0, 1, 2] as const

/** The ring. */
export class SpanRing {
  readonly kept = new KeptTraces()
  readonly isOff: boolean
  readonly #size: number
  readonly #half: number
  readonly #slowMs: number
  readonly #wantedIfSampled: number
  readonly #ids: Uint32Array
  /** The same memory. */
  readonly #times: Float64Array
  readonly #parts: (string | Attributes | undefined)[]
  readonly #states: Uint8Array
  #recorded = 0
  /** Where the next one goes. */
  #slot = 0
  #marked = 0
  #lost = 0
  /** Told when another half of the ring has been written. */
  onHalf: () => void = () => {}

  constructor({ sizeMax = 8_192, slowMs = 500, isExported = false, isOff = false }: SpanRingOptions = {}) {
    this.isOff = isOff
    this.#size = sizeMax
    this.#half = sizeMax >> 1
    this.#slowMs = slowMs
    this.#wantedIfSampled = isExported ? WANTED : FREE
    this.#ids = new Uint32Array(sizeMax * WORDS)
    this.#times = new Float64Array(this.#ids.buffer)
    this.#parts = new Array<string | undefined>(sizeMax * PARTS).fill(undefined)
    this.#states = new Uint8Array(sizeMax)
  }

  /** Spans recorded since the start, overwritten ones included. */
  get recorded(): number {
    return this.#recorded
  }

  /** Spans that were wanted and overwritten before anybody took them. */
  get lost(): number {
    return this.#lost
  }

  /** Records for one service. */
  of(service: string): SpanRecorder {
    return { record: this.record.bind(this, service) }
  }

  /** Records the finished span `own` of `service`; `parent` is undefined for the first span of a trace. */
  record(
    service: string,
    name: string,
    kind: SpanKind,
    own: TraceContext,
    parent: TraceContext | undefined,
    startMs: number,
    durationMs: number,
    code: Code | 'ok',
    attributes?: Attributes,
  ): void {
    if (this.isOff) return
    const slot = this.#slot
    this.#slot = slot + 1 === this.#size ? 0 : slot + 1
    this.#recorded++
    if (this.#slot === 0 || this.#slot === this.#half) this.onHalf()
    const ids = this.#ids
    const at = slot * WORDS
    ids[at] = own.trace0
    ids[at + 1] = own.trace1
    ids[at + 2] = own.trace2
    ids[at + 3] = own.trace3
    ids[at + 4] = own.span0
    ids[at + 5] = own.span1
    ids[at + 6] = parent === undefined ? 0 : parent.span0
    ids[at + 7] = parent === undefined ? 0 : parent.span1
    const times = this.#times
    const time = slot * DOUBLES + TIMES
    times[time] = startMs
    times[time + 1] = durationMs
    const parts = this.#parts
    const part = slot * PARTS
    parts[part] = service
    parts[part + 1] = name
    parts[part + 2] = kind
    parts[part + 3] = code
    parts[part + 4] = attributes
    if (this.#states[slot] === WANTED) this.#lost++
    this.#states[slot] = own.isSampled ? this.#wantedIfSampled : FREE
    const isNoticed = code === 'ok' ? durationMs > this.#slowMs && attributes !== waits : isFailure(code)
    if (isNoticed && !own.isSampled) this.kept.add(own)
  }

  /** Makes the spans of kept traces wanted: those recorded since the last time, and all of them when a trace is new there. */
  markKept(): void {
    const first = Math.max(0, this.#recorded - this.#size)
    const from = this.kept.takeChange() ? first : Math.max(first, this.#marked)
    this.#marked = this.#recorded
    if (this.kept.size === 0) return
    const ids = this.#ids
    for (let index = from; index < this.#recorded; index++) {
      const slot = index % this.#size
      const at = slot * WORDS
      const isKept = this.kept.has(
        ids[at] as number,
        ids[at + 1] as number,
        ids[at + 2] as number,
        ids[at + 3] as number,
      )
      if (isKept && this.#states[slot] === FREE) this.#states[slot] = WANTED
    }
  }

  /** Takes up to `max` wanted spans, in no particular order; nobody gets them again. */
  take(max: number): Span[] {
    const taken: Span[] = []
    let slot = this.#states.indexOf(WANTED)
    while (slot >= 0 && taken.length < max) {
      this.#states[slot] = TAKEN
      taken.push(this.#read(slot))
      slot = this.#states.indexOf(WANTED, slot + 1)
    }
    return taken
  }

  /** The kept spans of one trace, by start. */
  ofTrace(traceId: string): readonly Span[] {
    return this.all()
      .filter((span) => span.traceId === traceId)
      .sort((a, b) => a.startMs - b.startMs)
  }

  /** Every kept span, oldest first. */
  all(): readonly Span[] {
    const kept = Math.min(this.#recorded, this.#size)
    return Array.from({ length: kept }, (_, index) =>
      this.#read((this.#recorded - kept + index) % this.#size),
    )
  }

  #read(slot: number): Span {
    const word = (index: number): string => hex32(this.#ids[slot * WORDS + index] as number)
    const parentId = word(6) + word(7)
    const part = slot * PARTS
    const [service, name, kind, code, attributes] = this.#parts.slice(part, part + PARTS)
    return {
      service: service as string,
      name: name as string,
      kind: kind as SpanKind,
      traceId: word(0) + word(1) + word(2) + word(3),
      spanId: word(4) + word(5),
      parentId: /^0+$/.test(parentId) ? undefined : parentId,
      startMs: this.#times[slot * DOUBLES + TIMES] as number,
      durationMs: this.#times[slot * DOUBLES + TIMES + 1] as number,
      code: code as Code | 'ok',
      attributes: attributes as Attributes | undefined,
    }
  }
}
