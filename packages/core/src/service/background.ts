/**
 * Work a service does by itself, not for a call: with a deadline and a span of its own, and no user behind it.
 *
 * @module
 */

import type { Closing } from '../kernel/closing.ts'
import type { Code } from '../kernel/code.ts'
import { FlotillaError, isFlotillaError } from '../kernel/error.ts'
import { Ticker } from '../kernel/ticker.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import { runIn } from '../telemetry/active-work.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { CallScope, type ScopeEnvironment } from './call-scope.ts'
import type { Context, Origin } from './definition.ts'

const TURN_MS_MIN = 30_000
/** At closing, a turn that runs may go on so long before it is canceled. */
const CLOSING_MS_MAX = 3_000

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
  run<T>(name: string, timeoutMs: number, work: (ctx: Context) => Promise<T>, origin?: Origin): Promise<T> {
    return this.#run(name, timeoutMs, work, origin)
  }

  async #run<T>(
    name: string,
    timeoutMs: number,
    work: (scope: CallScope) => Promise<T>,
    origin: Origin = {},
  ): Promise<T> {
    const { ports, spans } = this.#environment
    const { clock } = ports
    const { parent } = origin
    const own = (): TraceContext => parent?.child(ports.random) ?? TraceContext.start(ports.random, false)
    const { trace = own() } = origin
    const scope = this.#scope(timeoutMs, trace, origin)
    const startMs = clock.monotonicMs()
    let code: Code | 'ok' = 'internal'
    const timer = clock.schedule(timeoutMs, () => {
      scope.stop(new FlotillaError('deadline_exceeded', `${name} took longer than ${timeoutMs} ms.`))
    })
    try {
      const result = await runIn(scope, work, scope, undefined)
      code = 'ok'
      return result
    } catch (error) {
      if (isFlotillaError(error)) code = error.code
      throw error
    } finally {
      timer.cancel()
      if (origin.trace === undefined) {
        const kind = parent === undefined ? 'internal' : 'server'
        spans.record(name, kind, trace, parent, startMs, clock.monotonicMs() - startMs, code)
      }
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
    /** Set while a turn runs. */
    let scope: CallScope | undefined
    const ticker = new Ticker({
      clock: ports.clock,
      random: ports.random,
      intervalMs,
      turn: () =>
        this.#run(name, Math.max(intervalMs, TURN_MS_MIN), (its) => {
          scope = its
          return task(its)
        }),
      onError: (error) => {
        if (ticker.isClosing) return
        failures.add()
        log.warn(`background task ${name} failed`, { error })
      },
    })
    this.#closing.defer(`background task ${name}`, async () => {
      const tooLong = ports.clock.schedule(CLOSING_MS_MAX, () =>
        scope?.stop(new FlotillaError('canceled', 'The service is closing.')),
      )
      await ticker.close()
      tooLong.cancel()
    })
    return () => ticker.wake()
  }

  #scope(timeoutMs: number, trace: TraceContext, { criticality = 'sheddable_plus' }: Origin): CallScope {
    const { service, ports } = this.#environment
    const deadlineMs = ports.clock.monotonicMs() + timeoutMs
    return new CallScope(this.#environment, { service }, deadlineMs, trace, criticality, undefined, undefined)
  }
}
