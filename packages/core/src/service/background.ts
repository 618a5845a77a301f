/**
 * Work a service does by itself: with a deadline and a trace of its own, and no user behind it.
 *
 * @module
 */
import type { Closing } from '../kernel/closing.ts'
import { FlotillaError } from '../kernel/error.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { CallScope, type ScopeEnvironment } from './call-scope.ts'
import type { Context, Origin } from './definition.ts'

const TURN_MS_MIN = 30_000

/** The background work of one service. */
export class Background {
  readonly #environment: ScopeEnvironment
  readonly #metrics: Metrics
  readonly #closing: Closing

  constructor(environment: ScopeEnvironment, metrics: Metrics, closing: Closing) {
    this.#environment = environment
    this.#metrics = metrics
    this.#closing = closing
  }

  /** Runs `work` once, for at most `timeoutMs`. */
  async run<T>(
    name: string,
    timeoutMs: number,
    work: (ctx: Context) => Promise<T>,
    origin: Origin = {},
  ): Promise<T> {
    const scope = this.#scope(timeoutMs, origin)
    const { clock } = this.#environment.ports
    const timer = clock.schedule(timeoutMs, () => {
      scope.stop(new FlotillaError('deadline_exceeded', `${name} took longer than ${timeoutMs} ms.`))
    })
    try {
      return await work(scope)
    } finally {
      timer.cancel()
    }
  }

  /** Runs `task` again and again until closing. */
  every(name: string, intervalMs: number, task: (ctx: Context) => Promise<void>): () => void {
    const { ports, service, log } = this.#environment
    const failures = this.#metrics
      .counter('flotilla_background_failures_total', 'Turns of background tasks that failed.', [
        'service',
        'task',
      ])
      .with(service, name)
    const stop = new AbortController()
    let wake = new AbortController()
    const loop = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        // Made before the turn: who wakes us during it wants another one.
        wake = new AbortController()
        try {
          await this.run(name, Math.max(intervalMs, TURN_MS_MIN), task)
        } catch (error) {
          failures.add()
          log.warn(`background task ${name} failed`, { error })
        }
        // Jitter, so that the instances of a service do not all do it at the same moment.
        const waitMs = intervalMs * (0.9 + ports.random.next() * 0.2)
        await ports.clock.sleep(waitMs, AbortSignal.any([stop.signal, wake.signal])).catch(() => {
          // Woken or stopped: the loop looks for itself.
        })
      }
    }
    const running = loop()
    this.#closing.defer(`background task ${name}`, async () => {
      stop.abort()
      await running
    })
    return () => wake.abort()
  }

  #scope(timeoutMs: number, origin: Origin): CallScope {
    const { service, ports } = this.#environment
    const deadlineMs = ports.clock.monotonicMs() + timeoutMs
    const { trace = TraceContext.start(ports.random, false), criticality = 'sheddable_plus' } = origin
    return new CallScope(this.#environment, { service }, deadlineMs, trace, criticality, undefined, undefined)
  }
}
