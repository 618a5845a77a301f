/**
 * Spans that user code makes with `@opentelemetry/api`: they end in the same ring as ours, under the service that runs.
 *
 * Kept of a span: name, kind, times, status, 32 attributes, and the last exception as attributes. Events and links are not kept.
 *
 * @module
 */
import {
  type AttributeValue,
  type Context,
  context as contextApi,
  type Exception,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
  type Tracer,
  trace,
  type Attributes as UserAttributes,
} from '@opentelemetry/api'
import type { Clock } from '../kernel/clock.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import type { Signals } from './active-work.ts'
import { spanContextOf, traceContextOf, workOf } from './otel-context.ts'
import type { SpanKind as OwnKind } from './spans.ts'

const ATTRIBUTES_MAX = 32
const TEXT_CHARS_MAX = 256
const NAME_CHARS_MAX = 200

const kinds: Readonly<Record<SpanKind, OwnKind>> = {
  [SpanKind.INTERNAL]: 'internal',
  [SpanKind.SERVER]: 'server',
  [SpanKind.CLIENT]: 'client',
  [SpanKind.PRODUCER]: 'producer',
  [SpanKind.CONSUMER]: 'consumer',
}

/** Makes spans. */
export class WorkTracer implements Tracer {
  readonly #outside: () => Signals
  readonly #isSampled: () => boolean

  /** `outside`: whose the spans are that are made outside any work. `isSampled`: whether a trace that begins now is recorded whole. */
  constructor(outside: () => Signals, isSampled: () => boolean) {
    this.#outside = outside
    this.#isSampled = isSampled
  }

  startSpan(name: string, options: SpanOptions = {}, context: Context = contextApi.active()): Span {
    const signals = workOf(context)?.signals ?? this.#outside()
    const parent = options.root === true ? undefined : traceContextOf(trace.getSpanContext(context))
    const { random } = signals.ports
    const own = parent?.child(random) ?? TraceContext.start(random, this.#isSampled())
    return new UserSpan(name, options, signals, own, parent)
  }

  startActiveSpan<F extends (span: Span) => unknown>(name: string, ...rest: unknown[]): ReturnType<F> {
    const action = rest.at(-1) as F
    const [options, given] = rest.slice(0, -1) as [SpanOptions?, Context?]
    const context = given ?? contextApi.active()
    const span = this.startSpan(name, options, context)
    return contextApi.with(trace.setSpan(context, span), () => action(span)) as ReturnType<F>
  }
}

class UserSpan implements Span {
  readonly #signals: Signals
  readonly #own: TraceContext
  readonly #parent: TraceContext | undefined
  readonly #kind: OwnKind
  readonly #startMs: number
  /** Taken when the first time was given. */
  #moment: Moment | undefined
  readonly #attributes: Record<string, string | number | boolean> = {}
  #count = 0
  #name: string
  #status: SpanStatus = { code: SpanStatusCode.UNSET }
  #isOver = false

  constructor(
    name: string,
    options: SpanOptions,
    signals: Signals,
    own: TraceContext,
    parent: TraceContext | undefined,
  ) {
    this.#name = name.slice(0, NAME_CHARS_MAX)
    this.#signals = signals
    this.#parent = parent
    this.#own = own
    this.#kind = kinds[options.kind ?? SpanKind.INTERNAL]
    this.#startMs = this.#monotonic(options.startTime)
    if (options.attributes !== undefined) this.setAttributes(options.attributes)
  }

  spanContext(): SpanContext {
    return spanContextOf(this.#own)
  }

  setAttribute(key: string, value: AttributeValue): this {
    const kept = keptValue(value)
    if (this.#isOver || kept === undefined) return this
    const name = key.slice(0, TEXT_CHARS_MAX)
    if (!Object.hasOwn(this.#attributes, name) && this.#count++ >= ATTRIBUTES_MAX) return this
    this.#attributes[name] = kept
    return this
  }

  setAttributes(attributes: UserAttributes): this {
    for (const [key, value] of Object.entries(attributes))
      if (value !== undefined) this.setAttribute(key, value)
    return this
  }

  addEvent(): this {
    return this
  }

  addLink(): this {
    return this
  }

  addLinks(): this {
    return this
  }

  setStatus(status: SpanStatus): this {
    // As the specification has it: what was called good stays good.
    if (this.#status.code !== SpanStatusCode.OK) this.#status = status
    return this
  }

  updateName(name: string): this {
    this.#name = name.slice(0, NAME_CHARS_MAX)
    return this
  }

  recordException(exception: Exception): void {
    // Whatever was thrown, which may be nothing.
    const { name = 'Error', message = '' } =
      typeof exception === 'string' ? { message: exception } : ((exception as Error | null | undefined) ?? {})
    this.setAttributes({ 'exception.type': name, 'exception.message': message })
  }

  isRecording(): boolean {
    return !this.#isOver
  }

  end(endTime?: TimeInput): void {
    if (this.#isOver) return
    const { code, message } = this.#status
    if (message !== undefined) this.setAttribute('error.message', message)
    this.#isOver = true
    const { spans } = this.#signals
    const durationMs = Math.max(0, this.#monotonic(endTime) - this.#startMs)
    const outcome = code === SpanStatusCode.ERROR ? 'unknown' : 'ok'
    const attributes = this.#count === 0 ? undefined : this.#attributes
    spans.record(
      this.#name,
      this.#kind,
      this.#own,
      this.#parent,
      this.#startMs,
      durationMs,
      outcome,
      attributes,
    )
  }

  /** Now when no time is given. By one moment for both ends of the span: it is as long as they say, whatever happens between. */
  #monotonic(time: TimeInput | undefined): number {
    const { clock } = this.#signals.ports
    if (time === undefined) return clock.monotonicMs()
    this.#moment ??= momentOf(clock)
    return monotonic(time, this.#moment)
  }
}

function keptValue(value: AttributeValue): string | number | boolean | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return value
  const text = Array.isArray(value) ? value.join(',') : value
  return typeof text === 'string' ? text.slice(0, TEXT_CHARS_MAX) : undefined
}

/** What the clocks showed at one moment. */
interface Moment {
  readonly monotonicMs: number
  /** Of `performance.now()`. */
  readonly performanceMs: number
  readonly wallMs: number
}

function momentOf(clock: Clock): Moment {
  return { monotonicMs: clock.monotonicMs(), performanceMs: performance.now(), wallMs: clock.now() }
}

/**
 * A time as users give it, on our monotonic clock.
 *
 * @source https://open-telemetry.github.io/opentelemetry-js/types/_opentelemetry_api._opentelemetry_api.TimeInput.html
 */
function monotonic(time: TimeInput, { monotonicMs, performanceMs, wallMs }: Moment): number {
  // As the official SDK does: a number that could be one of `performance.now()` is one.
  if (typeof time === 'number' && time <= performance.now()) return monotonicMs + (time - performanceMs)
  const atMs = Array.isArray(time) ? time[0] * 1_000 + time[1] / 1e6 : Number(time)
  return monotonicMs + (atMs - wallMs)
}
