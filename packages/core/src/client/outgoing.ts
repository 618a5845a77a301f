/**
 * An operation of another service as this process calls it: the callee, and what was measured. The mirror of
 * `service/served.ts`.
 *
 * @module
 */
import { Balancer } from '../balance/balancer.ts'
import type { Operation } from '../contract/operation.ts'
import type { Code } from '../kernel/code.ts'
import type { Ports } from '../kernel/context.ts'
import type { Directory } from '../registry/directory.ts'
import { RetryBudget } from '../resilience/retry-budget.ts'
import type { Counter, Histogram, Metrics } from '../telemetry/metrics.ts'
import type { CallRequest, Channel } from '../wire/wire.ts'
import { CallPolicies } from './call-policies.ts'
import { Readiness } from './readiness.ts'
import type { OpenChannel, Target } from './target.ts'
import { Targets } from './targets.ts'

/** A tenth of the calls may be retries; one a second always. */
const RETRIES = { ratio: 0.1, floorPerSec: 1 }

/** What reaching a service takes. */
export interface CalleeOptions {
  readonly ports: Ports
  readonly metrics: Metrics
  readonly directory: Directory
  readonly openChannel: OpenChannel
  /** What the operator says about calls. Absent: nothing. */
  readonly policies?: CallPolicies
  /** Who this process is, and where it runs. Absent: nobody in particular. */
  readonly self?: { readonly instance: string; readonly zone: string }
  /** The channel to a service in this process, if it is here. */
  readonly localChannel: (service: string) => Channel | undefined
}

const nobody = { instance: '', zone: '' }
const noPolicies = new CallPolicies()

/** A service this process calls: shared by all its operations. */
export class Callee {
  readonly service: string
  readonly local: Channel | undefined
  readonly targets: Targets
  readonly readiness: Readiness
  readonly budget = new RetryBudget(RETRIES)
  readonly retries: Counter

  constructor(service: string, options: CalleeOptions) {
    this.service = service
    this.local = options.localChannel(service)
    const { directory, openChannel, ports, self = nobody } = options
    this.targets = new Targets(service, directory, openChannel, ports.random, self.instance)
    this.readiness = new Readiness(ports.clock)
    this.retries = options.metrics
      .counter('flotilla_client_retries_total', 'Calls made again.', ['service'])
      .with(service)
  }
}

/** An operation to call. */
export class OutgoingOperation {
  readonly operation: Operation
  readonly callee: Callee
  readonly #durations: Histogram
  readonly #ok: Counter
  readonly #metrics: Metrics
  readonly #policies: CallPolicies
  readonly #balancer: Balancer
  #key: string | undefined
  #generation = -1

  constructor(operation: Operation, callee: Callee, options: CalleeOptions) {
    const { metrics, policies = noPolicies, ports, self = nobody } = options
    this.operation = operation
    this.callee = callee
    this.#metrics = metrics
    this.#policies = policies
    this.#balancer = new Balancer(ports.random, self.zone)
    this.#durations = metrics
      .histogram('flotilla_client_duration_seconds', 'Time until a call was answered.', ['operation'])
      .with(operation.id)
    this.#ok = this.#counter('ok')
  }

  /** The instance for the next attempt; undefined when every one was tried or there is none. */
  pick(request: CallRequest, tried: ReadonlySet<Target> | undefined, nowMs: number): Target | undefined {
    if (this.#generation !== this.#policies.generation) this.#configure()
    const key = this.#key === undefined ? undefined : keyIn(request, this.#key)
    return this.callee.targets.pick(this.#balancer, tried, nowMs, key)
  }

  #configure(): void {
    const { service, name } = this.operation
    this.#generation = this.#policies.generation
    const { key, ...settings } = this.#policies.balanceOf(service, name)
    this.#key = key
    this.#balancer.configure(settings)
    this.callee.targets.limit(this.#policies.subsetOf(service))
  }

  /** Counts one call. */
  ended(code: Code | 'ok', durationMs: number): void {
    this.#durations.observe(durationMs)
    if (code === 'ok') this.#ok.add()
    else this.#counter(code).add()
  }

  #counter(code: Code | 'ok'): Counter {
    return this.#metrics
      .counter('flotilla_client_calls_total', 'Calls made.', ['operation', 'code'])
      .with(this.operation.id, code)
  }
}

/** What a call belongs with; undefined when it does not say. */
function keyIn({ caller, input }: CallRequest, key: string): string | undefined {
  if (key === 'user') return caller.user?.id
  const value = (input as Readonly<Record<string, unknown>> | undefined)?.[key.slice('input.'.length)]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}
