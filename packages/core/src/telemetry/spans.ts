/**
 * What happened in this process lately: every finished span, in a ring of fixed size that overwrites its oldest.
 *
 * Numbers live in typed arrays and names in a plain one, so that recording a span allocates nothing.
 *
 * @module
 */
import type { Code } from '../kernel/code.ts'
import { hex } from '../kernel/ids.ts'
import type { TraceContext } from '../kernel/trace-context.ts'

/** Which side of a call a span tells of. */
export type SpanKind = 'client' | 'server' | 'internal'

/** One finished span. */
export interface Span {
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
}

const WORDS = 8

/** The ring. */
export class SpanRing {
  readonly #size: number
  readonly #ids: Uint32Array
  readonly #times: Float64Array
  readonly #names: string[]
  readonly #kinds: SpanKind[]
  readonly #codes: (Code | 'ok')[]
  #recorded = 0

  /** `sizeMax`: how many spans are kept; about 120 bytes each. */
  constructor(sizeMax = 4096) {
    this.#size = sizeMax
    this.#ids = new Uint32Array(sizeMax * WORDS)
    this.#times = new Float64Array(sizeMax * 2)
    this.#names = new Array<string>(sizeMax).fill('')
    this.#kinds = new Array<SpanKind>(sizeMax).fill('internal')
    this.#codes = new Array<Code | 'ok'>(sizeMax).fill('ok')
  }

  /** Spans recorded since the start, overwritten ones included. */
  get recorded(): number {
    return this.#recorded
  }

  /** Records the finished span `own`; `parent` is undefined for the first span of a trace. */
  record(
    name: string,
    kind: SpanKind,
    own: TraceContext,
    parent: TraceContext | undefined,
    startMs: number,
    durationMs: number,
    code: Code | 'ok',
  ): void {
    const slot = this.#recorded++ % this.#size
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
    this.#times[slot * 2] = startMs
    this.#times[slot * 2 + 1] = durationMs
    this.#names[slot] = name
    this.#kinds[slot] = kind
    this.#codes[slot] = code
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
    const word = (index: number): string => hex(this.#ids[slot * WORDS + index] as number, 8)
    const parentId = word(6) + word(7)
    return {
      name: this.#names[slot] as string,
      kind: this.#kinds[slot] as SpanKind,
      traceId: word(0) + word(1) + word(2) + word(3),
      spanId: word(4) + word(5),
      parentId: /^0+$/.test(parentId) ? undefined : parentId,
      startMs: this.#times[slot * 2] as number,
      durationMs: this.#times[slot * 2 + 1] as number,
      code: this.#codes[slot] as Code | 'ok',
    }
  }
}
