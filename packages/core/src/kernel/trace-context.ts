/**
 * Where in which trace we are, as W3C Trace Context carries it between processes.
 *
 * Ids are kept as 32-bit numbers: a call makes one span id and writes it into a frame far more often than
 * anybody reads it as text, and numbers make both about ten times cheaper.
 *
 * @source https://www.w3.org/TR/trace-context/#traceparent-header
 * @module
 */
import { hex32 } from './ids.ts'
import type { Random } from './random.ts'

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** One span's place in its trace; immutable. */
export class TraceContext {
  readonly trace0: number
  readonly trace1: number
  readonly trace2: number
  readonly trace3: number
  readonly span0: number
  readonly span1: number
  /** True when somebody up the chain decided that this trace is recorded whole. */
  readonly isSampled: boolean
  /** Made when it is asked for, which most are never and those of a request several times. */
  #traceId: string | undefined

  constructor(t0: number, t1: number, t2: number, t3: number, s0: number, s1: number, isSampled: boolean) {
    this.trace0 = t0
    this.trace1 = t1
    this.trace2 = t2
    this.trace3 = t3
    this.span0 = s0
    this.span1 = s1
    this.isSampled = isSampled
  }

  /** The first span of a new trace. */
  static start(random: Random, isSampled: boolean): TraceContext {
    const draw = (): number => random.uint32()
    // An all-zero id is invalid; setting one bit of each rules it out.
    return new TraceContext(draw(), draw(), draw(), (draw() | 1) >>> 0, draw(), (draw() | 1) >>> 0, isSampled)
  }

  /** A new trace without a span in it yet: its spans begin with children of this, which have no parent. */
  static open(random: Random, isSampled: boolean): TraceContext {
    const draw = (): number => random.uint32()
    return new TraceContext(draw(), draw(), draw(), (draw() | 1) >>> 0, 0, 0, isSampled)
  }

  /** Reads a `traceparent` header; undefined when it is malformed or of an unknown version. */
  static parse(header: string): TraceContext | undefined {
    const match = TRACEPARENT.exec(header)
    if (!match) return undefined
    const [, trace = '', span = '', flags = ''] = match
    if (/^0+$/.test(trace) || /^0+$/.test(span)) return undefined
    const word = (text: string, index: number): number =>
      Number.parseInt(text.slice(index * 8, index * 8 + 8), 16)
    const isSampled = (Number.parseInt(flags, 16) & 1) === 1
    return new TraceContext(
      word(trace, 0),
      word(trace, 1),
      word(trace, 2),
      word(trace, 3),
      word(span, 0),
      word(span, 1),
      isSampled,
    )
  }

  /** A new span below this one. */
  child(random: Random): TraceContext {
    const { trace0, trace1, trace2, trace3, isSampled } = this
    return new TraceContext(
      trace0,
      trace1,
      trace2,
      trace3,
      random.uint32(),
      (random.uint32() | 1) >>> 0,
      isSampled,
    )
  }

  /** 32 hexadecimal digits. */
  get traceId(): string {
    this.#traceId ??= hex32(this.trace0) + hex32(this.trace1) + hex32(this.trace2) + hex32(this.trace3)
    return this.#traceId
  }

  /** 16 hexadecimal digits. */
  get spanId(): string {
    return hex32(this.span0) + hex32(this.span1)
  }

  /** The `traceparent` header. */
  toString(): string {
    return `00-${this.traceId}-${this.spanId}-${this.isSampled ? '01' : '00'}`
  }
}
