/**
 * Makes `@opentelemetry/api` speak to this process. It is registered when this module loads, before any service does: a meter that was
 * asked for earlier would stay deaf for ever. Where somebody has registered an SDK even earlier (`node --import`), that one stays.
 *
 * Work is followed behind `await` from the moment at which somebody asks for a tracer, a meter or the context. Who asks when his module
 * loads, as is usual, is in time for everything; who asks in the middle of a handler may see his first span begin a trace of its own.
 *
 * @module
 */
import { context, metrics, propagation, trace } from '@opentelemetry/api'
import { systemClock } from '../kernel/clock.ts'
import { systemRandom } from '../kernel/random.ts'
import { followWork, type Signals } from './active-work.ts'
import { Metrics } from './metrics.ts'
import { TraceparentPropagator, WorkContexts } from './otel-context.ts'
import { WorkMeter } from './otel-meter.ts'
import { WorkTracer } from './otel-tracer.ts'
import { SpanRing } from './spans.ts'

/** Until there is a host, nobody looks. */
let outside: Signals = {
  service: '',
  spans: new SpanRing({ sizeMax: 1 }).of(''),
  metrics: new Metrics(),
  ports: { clock: systemClock, random: systemRandom },
}
let isSampled = (): boolean => false
let hasHost = false

const tracer = new WorkTracer(
  () => outside,
  () => isSampled(),
)
const meter = new WorkMeter(() => outside)
context.setGlobalContextManager(new WorkContexts())
propagation.setGlobalPropagator(new TraceparentPropagator())
metrics.setGlobalMeterProvider({
  getMeter() {
    followWork()
    return meter
  },
})
trace.setGlobalTracerProvider({
  getTracer() {
    followWork()
    return tracer
  },
})

/**
 * Gives what user code records outside any work to `signals`: of the first host of this process. `choose` says whether a trace that user code
 * begins is recorded whole.
 */
export function takeOutside(signals: Signals, choose: () => boolean): void {
  if (hasHost) return
  hasHost = true
  outside = signals
  isSampled = choose
  signals.metrics.onScrape(() => meter.observe())
}
