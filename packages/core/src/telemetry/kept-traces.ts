/**
 * Traces that nobody chose at their beginning and that are kept all the same, because something in them was slow or failed.
 *
 * Whoever sees that tells the other processes, so that each hands out what it still has of the trace and what it is going to record
 * of it for a while.
 *
 * @module
 */
import { TraceContext } from '../kernel/trace-context.ts'

/** New ones between two looks of the exporter, a second apart: where everything fails, some examples will do. */
const FRESH_MAX = 50
/** All in all; with what others tell. */
const KEPT_MAX = 1_000
/** How many looks long later spans of a trace are kept. */
const LOOKS = 15

interface Kept {
  readonly trace: TraceContext
  looksLeft: number
}

/** The traces to keep, for some seconds each. */
export class KeptTraces {
  /** By the last word of the trace id, which is random enough; of two that share it the later one stays. */
  readonly #kept = new Map<number, Kept>()
  #fresh: TraceContext[] = []
  #isChanged = false
  /** Traces that were not kept, because there were too many. */
  refused = 0

  /** Something in `trace` was slow or failed here. */
  add(trace: TraceContext): void {
    if (this.has(trace.trace0, trace.trace1, trace.trace2, trace.trace3)) return
    if (this.#fresh.length >= FRESH_MAX || this.#kept.size >= KEPT_MAX) this.refused++
    else {
      this.#fresh.push(trace)
      this.#put(trace)
    }
  }

  /** Another process has seen it, perhaps again, and then it is kept for longer; `traceId` as 32 hexadecimal digits, anything else is ignored. */
  addOf(traceId: string): void {
    const trace = TraceContext.parse(`00-${traceId}-0000000000000001-00`)
    if (trace === undefined) return
    if (this.#kept.size < KEPT_MAX || this.has(trace.trace0, trace.trace1, trace.trace2, trace.trace3))
      this.#put(trace)
    else this.refused++
  }

  has(t0: number, t1: number, t2: number, t3: number): boolean {
    const trace = this.#kept.get(t3)?.trace
    return trace !== undefined && trace.trace2 === t2 && trace.trace1 === t1 && trace.trace0 === t0
  }

  get size(): number {
    return this.#kept.size
  }

  /** Ids of those that this process has seen since the last look: for the other processes. */
  takeFresh(): readonly string[] {
    const fresh = this.#fresh.map(({ traceId }) => traceId)
    this.#fresh = []
    return fresh
  }

  /** True when there are new ones since the last time it was asked. */
  takeChange(): boolean {
    const isChanged = this.#isChanged
    this.#isChanged = false
    return isChanged
  }

  /** A look has passed. */
  age(): void {
    for (const [key, kept] of this.#kept) if (--kept.looksLeft <= 0) this.#kept.delete(key)
  }

  #put(trace: TraceContext): void {
    this.#kept.set(trace.trace3, { trace, looksLeft: LOOKS })
    this.#isChanged = true
  }
}
