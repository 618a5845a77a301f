/**
 * The context of `@opentelemetry/api`: what is active, as its users see it.
 *
 * @module
 */
import {
  type Context,
  type ContextManager,
  createContextKey,
  ROOT_CONTEXT,
  type SpanContext,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { TraceContext } from '../kernel/trace-context.ts'
import { type Active, activeHere, followWork, runWithin, type Work } from './active-work.ts'

const WORK = createContextKey('flotilla work')

class Entered implements Active {
  readonly work: Work | undefined
  readonly context: Context

  constructor(work: Work | undefined, context: Context) {
    this.work = work
    this.context = context
  }
}

/** Contexts on top of what `active-work.ts` knows. */
export class WorkContexts implements ContextManager {
  readonly #ofWork = new WeakMap<Work, Context>()

  active(): Context {
    followWork()
    const active = activeHere()
    if (active === undefined) return ROOT_CONTEXT
    if (active instanceof Entered) return active.context
    return this.#contextOf(active as Work)
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    action: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    const run = (): ReturnType<F> => action.call(self, ...args)
    // Whoever begins anew still does it for the one whose work this is.
    const its = workOf(context) === undefined ? context.setValue(WORK, workOf(this.active())) : context
    return runWithin(new Entered(workOf(its), its), run)
  }

  bind<T>(context: Context, target: T): T {
    if (typeof target !== 'function') return target
    const contexts = this
    // A type variable is not narrowed to what can be called, and this can.
    const call = target as unknown as (...args: unknown[]) => unknown
    function bound(this: unknown, ...args: unknown[]): unknown {
      return contexts.with(context, () => Reflect.apply(call, this, args))
    }
    return bound as T
  }

  enable(): this {
    return this
  }

  disable(): this {
    return this
  }

  #contextOf(work: Work): Context {
    let context = this.#ofWork.get(work)
    if (context === undefined) {
      context = trace.setSpanContext(ROOT_CONTEXT.setValue(WORK, work), spanContextOf(work.trace))
      this.#ofWork.set(work, context)
    }
    return context
  }
}

/** The work a context belongs to; undefined: none. */
export function workOf(context: Context): Work | undefined {
  return context.getValue(WORK) as Work | undefined
}

/** A place in a trace as OpenTelemetry writes it. */
export function spanContextOf({ traceId, spanId, isSampled }: TraceContext): SpanContext {
  return { traceId, spanId, traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE }
}

/** The same as ours; undefined when it is not valid. */
export function traceContextOf(context: SpanContext | undefined): TraceContext | undefined {
  if (context === undefined) return undefined
  const { traceId, spanId, traceFlags } = context
  return TraceContext.parse(`00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`)
}

/** W3C `traceparent`, for libraries that make requests of their own. */
export class TraceparentPropagator implements TextMapPropagator {
  inject<C>(context: Context, carrier: C, setter: TextMapSetter<C>): void {
    const own = traceContextOf(trace.getSpanContext(context))
    if (own !== undefined) setter.set(carrier, 'traceparent', own.toString())
  }

  extract<C>(context: Context, carrier: C, getter: TextMapGetter<C>): Context {
    const [header] = [getter.get(carrier, 'traceparent')].flat()
    const parent = TraceContext.parse(header ?? '')
    return parent === undefined ? context : trace.setSpanContext(context, spanContextOf(parent))
  }

  fields(): string[] {
    return ['traceparent']
  }
}
