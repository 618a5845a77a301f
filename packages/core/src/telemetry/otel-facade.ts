/**
 * Makes `@opentelemetry/api` speak to this process: registered once, for all hosts in it.
 *
 * Work is followed behind `await` from the moment at which somebody asks for a tracer. Who asks when his module loads, as is usual, is in
 * time for everything; who asks in the middle of a handler may see his first span begin a trace of its own.
 *
 * @module
 */
import { context, metrics, propagation, trace } from '@opentelemetry/api'
import { followWork, type Signals } from './active-work.ts'
import { TraceparentPropagator, WorkContexts } from './otel-context.ts'
import { WorkMeter } from './otel-meter.ts'
import { WorkTracer } from './otel-tracer.ts'

let isRegistered = false

/**
 * Registers it, unless that was done; `outside` takes what user code records outside any work. Where somebody has registered an SDK before, that one
 * stays.
 */
export function registerFacade(outside: Signals): void {
  if (isRegistered) return
  isRegistered = true
  const tracer = new WorkTracer(outside)
  const meter = new WorkMeter(outside)
  context.setGlobalContextManager(new WorkContexts())
  propagation.setGlobalPropagator(new TraceparentPropagator())
  metrics.setGlobalMeterProvider({ getMeter: () => meter })
  trace.setGlobalTracerProvider({
    getTracer() {
      followWork()
      return tracer
    },
  })
}
