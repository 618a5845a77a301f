/**
 * An operation of another service as this process calls it: the callee, what was measured, and what that lets us do. The mirror of
 * `service/served.ts`.
 *
 * @module
 */
import { Balancer } from '../balance/balancer.ts'
import type { Operation } from '../contract/operation.ts'
import type { Code } from '../kernel/code.ts'
import type { Ports } from '../kernel/context.ts'
import { TimerWheel } from '../kernel/timer-wheel.ts'
import type { Directory } from '../registry/directory.ts'
import { Budget } from '../resilience/budget.ts'
import { Hedging } from '../resilience/hedge.ts'
import { Latencies, type Quantiles } from '../resilience/latencies.ts'
import type { Counter, Histogram, Metrics } from '../telemetry/metrics.ts'
import { type Attributes, type SpanRing, waits } from '../telemetry/spans.ts'
import type { CallRequest, Channel } from '../wire/wire.ts'
import { CallPolicies, defaultRetries } from './call-policies.ts'
import { Gate } from './gate.ts'
import { Readiness } from './readiness.ts'
import type { OpenChannel, Target } from './target.ts'
import { Targets } from './targets.ts'

/** What is decided about a call besides sending it: the label of a counter, and the name of a span. */
export type Decision =
  | 'retried'
  | 'retry_refused'
  | 'hedged'
  | 'hedge_won'
  | 'late_refused'
  | 'bulkhead_refused'
  | 'breaker_refused'
  | 'breaker_opened'
  | 'instance_ejected'

/** An operation that may take longer waits for something to happen, and how long it takes says nothing. */
const WAITING_MS = 10_000

/** What reaching a service takes. */
export interface CalleeOptions {
  readonly ports: Ports
  readonly metrics: Metrics
  readonly spans: SpanRing
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
  readonly directory: Directory
  /** What retries and hedges draw on. */
  readonly budget = new Budget(defaultRetries)
  /** Wakes the calls that may be sent a second time. */
  readonly wheel: TimerWheel

  constructor(service: string, options: CalleeOptions) {
    this.service = service
    this.local = options.localChannel(service)
    const { directory, openChannel, ports, self = nobody } = options
    this.targets = new Targets(service, directory, openChannel, ports.random, self.instance)
    this.readiness = new Readiness(ports.clock)
    this.directory = directory
    this.wheel = new TimerWheel(ports.clock)
  }
}

/** An operation to call. */
export class OutgoingOperation {
  readonly operation: Operation
  readonly callee: Callee
  readonly gate: Gate
  readonly hedging: Hedging
  /** Of the spans of its calls. */
  readonly attributes: Attributes | undefined
  readonly #latencies = new Latencies()
  readonly #ports: Ports
  readonly #spans: SpanRing
  /** By the service that calls: of a process there may be several. */
  readonly #cells = new Map<string, CallerCells>()
  #latest: CallerCells | undefined
  readonly #metrics: Metrics
  readonly #policies: CallPolicies
  readonly #balancer: Balancer
  #key: string | undefined
  #generation = -1

  constructor(operation: Operation, callee: Callee, options: CalleeOptions) {
    const { metrics, policies = noPolicies, ports, self = nobody } = options
    this.operation = operation
    this.callee = callee
    this.gate = new Gate(operation, this.#latencies, ports.random)
    this.hedging = new Hedging(callee.budget)
    this.attributes = operation.timeoutMs > WAITING_MS ? waits : undefined
    this.#ports = ports
    this.#spans = options.spans
    this.#metrics = metrics
    this.#policies = policies
    this.#balancer = new Balancer(ports.random, self.zone)
  }

  /** What policies say; cheap, and to be called before anything that goes by them. */
  refresh(): void {
    if (this.#generation !== this.#policies.generation) this.#configure()
  }

  /** An attempt was answered after `tookMs`, or would have been later. */
  answered(tookMs: number, nowMs: number): void {
    if (this.operation.timeoutMs <= WAITING_MS) this.#latencies.observe(tookMs, nowMs)
  }

  /** What is known of how long calls take, if a call sent now may be sent a second time; nearly always undefined. */
  hedgeable(nowMs: number): Quantiles | undefined {
    if (this.operation.kind !== 'query' || this.callee.targets.size < 2 || !this.gate.isCalm) return undefined
    return this.#latencies.at(nowMs)
  }

  /** The instance for the next attempt; undefined when every one was tried or there is none. */
  pick(request: CallRequest, tried: ReadonlySet<Target> | undefined, nowMs: number): Target | undefined {
    this.refresh()
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
    this.callee.budget.configure(this.#policies.retriesOf(service))
    const rules = this.#policies.rulesOf(service, name)
    this.gate.configure(rules)
    this.hedging.configure(rules.hedging)
  }

  /** Counts a decision, and notes it in the trace: a span without duration beneath that of the call. */
  decided(decision: Decision, { trace, caller }: CallRequest, nowMs: number): void {
    const { service, id } = this.operation
    this.#metrics
      .counter('flotilla_client_decisions_total', 'What was decided about calls besides sending them.', [
        'caller',
        'service',
        'operation',
        'decision',
      ])
      .with(caller.service ?? '', service, id, decision)
      .add()
    const own = trace.child(this.#ports.random)
    this.#spans.record(caller.service ?? '', decision, 'internal', own, trace, nowMs, 0, 'ok', undefined)
  }

  /** Counts one call of the service `caller`. */
  ended(code: Code | 'ok', durationMs: number, caller: string): void {
    const cells = this.#latest?.caller === caller ? this.#latest : this.#cellsOf(caller)
    cells.durations.observe(durationMs)
    if (code === 'ok') cells.ok.add()
    else this.#counter(caller, code).add()
  }

  #cellsOf(caller: string): CallerCells {
    let cells = this.#cells.get(caller)
    if (cells === undefined) {
      const { id, service } = this.operation
      const durations = this.#metrics
        .histogram('flotilla_client_duration_seconds', 'Time until a call was answered.', [
          'caller',
          'service',
          'operation',
        ])
        .with(caller, service, id)
      cells = { caller, durations, ok: this.#counter(caller, 'ok') }
      this.#cells.set(caller, cells)
    }
    this.#latest = cells
    return cells
  }

  #counter(caller: string, code: Code | 'ok'): Counter {
    const { id, service } = this.operation
    return this.#metrics
      .counter('flotilla_client_calls_total', 'Calls made.', ['caller', 'service', 'operation', 'code'])
      .with(caller, service, id, code)
  }
}

/** What is counted for one caller. */
interface CallerCells {
  readonly caller: string
  readonly durations: Histogram
  readonly ok: Counter
}

/** What a call belongs with; undefined when it does not say. */
function keyIn({ caller, input }: CallRequest, key: string): string | undefined {
  if (key === 'user') return caller.user?.id
  const value = (input as Readonly<Record<string, unknown>> | undefined)?.[key.slice('input.'.length)]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}
