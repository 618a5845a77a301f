/**
 * Instances of one service on a clock that stands still until told to move, with a real client before them: what becomes of calls while instances are
 * slow, fail, hang or are gone, in no time and the same every time.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { ServicePolicies } from '../client/call-policies.ts'
import { CallPolicies } from '../client/call-policies.ts'
import { Client } from '../client/client.ts'
import { anyone } from '../contract/access.ts'
import type { CallOptions } from '../contract/calls.ts'
import { defineContract } from '../contract/contract.ts'
import { command, query } from '../contract/operation.ts'
import { Type } from '../contract/schema.ts'
import { Cancellation } from '../kernel/cancellation.ts'
import { FlotillaError } from '../kernel/error.ts'
import { createIds } from '../kernel/ids.ts'
import { seededRandom } from '../kernel/random.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import type { Instance } from '../registry/directory.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { SpanRing } from '../telemetry/spans.ts'
import { type CallRequest, type Channel, Reply, type Settle } from '../wire/wire.ts'

/** How an instance behaves. */
export interface Behaviour {
  /** Until it answers, drawn evenly from half to one and a half of it. Default 10. */
  readonly latencyMs?: number
  /** Share of calls that it answers with `error`. Default 0. */
  readonly failedShare?: number
  /** Default `internal`. */
  readonly error?: FlotillaError
  /** It takes calls and never answers. */
  readonly isHanging?: boolean
  /** Its process has ended: calls on their way are lost, nobody can connect. */
  readonly isGone?: boolean
}

/** A call as an instance got it. */
export interface Arrival {
  readonly to: string
  readonly atMs: number
  readonly request: CallRequest
  /** True once the caller has given it up. */
  isCanceled: boolean
}

/** What came of calls. */
export interface Tally {
  readonly calls: number
  /** By code. */
  readonly failed: ReadonlyMap<string, number>
  readonly failures: number
  /** From beginning to end, sorted. */
  readonly tookMs: readonly number[]
}

const spec = {
  summary: 'Does it.',
  access: anyone,
  input: Type.Object({}),
  output: Type.Object({ by: Type.String() }),
  timeoutMs: 1_000,
}

/** What the fleet answers: `read` is a query, `write` a command with a key. */
const fleetContract = defineContract({
  name: 'fleet',
  version: 1,
  summary: 'Is called.',
  operations: { read: query(spec), write: command({ ...spec, idempotency: 'key' }) },
})

/** The fleet and its client. */
export class VirtualFleet {
  readonly clock = new VirtualClock()
  readonly metrics = new Metrics()
  readonly spans = new SpanRing({ sizeMax: 256 })
  readonly policies: CallPolicies
  readonly arrivals: Arrival[] = []
  /** Those the directory knows. Replace the array to change it. */
  instances: readonly Instance[]
  readonly #random
  readonly #behaviours = new Map<string, Behaviour>()
  readonly #pending = new Map<string, Set<(error: FlotillaError) => void>>()
  readonly #client: Client

  /** @param policies of the one service there is. */
  constructor(names: readonly string[], seed: number, policies: ServicePolicies[string] = {}) {
    const { clock, metrics, spans } = this
    const random = seededRandom(seed)
    this.#random = seededRandom(seed + 1)
    this.policies = new CallPolicies({ fleet: policies })
    this.instances = names.map((instance) => {
      return { instance, service: 'fleet', version: '1', frames: '', http: '' }
    })
    this.#client = new Client({
      ports: { clock, random, newId: createIds(clock, random) },
      metrics,
      spans,
      policies: this.policies,
      directory: { instancesOf: () => this.instances, report: () => {} },
      localChannel: () => undefined,
      openChannel: async ({ instance }) => {
        if (this.#of(instance).isGone)
          throw new FlotillaError('unavailable', 'Nobody is there.', { executed: 'no' })
        return this.#channelTo(instance)
      },
    })
  }

  /** From now on it behaves so. */
  behave(instance: string, behaviour: Behaviour): void {
    this.#behaviours.set(instance, behaviour)
    if (!behaviour.isGone) return
    for (const lose of [...this.#pendingOf(instance)]) lose(new FlotillaError('unavailable', 'It broke.'))
  }

  /** Makes a call, with a second for it unless said otherwise; time must be let pass for it to end. */
  call(
    name: 'read' | 'write' = 'read',
    timeoutMs = 1_000,
    options: CallOptions = {},
    cancellation = new Cancellation(),
  ): Promise<Reply> {
    const { clock } = this
    const context = {
      caller: {},
      deadlineMs: clock.monotonicMs() + timeoutMs,
      trace: TraceContext.start(this.#random, false),
      criticality: 'critical',
      cancellation,
    } as const
    const outgoing = this.#client.outgoing(fleetContract.operations[name])
    return new Promise((resolve) => {
      this.#client.call(outgoing, {}, context, {}, options, false, resolve)
    })
  }

  /** Makes calls evenly spread over some time, and lets time pass until the last has ended. */
  async load(perSec: number, forMs: number, name: 'read' | 'write' = 'read'): Promise<Tally> {
    const failed = new Map<string, number>()
    const tookMs: number[] = []
    const count = Math.round((perSec * forMs) / 1_000)
    for (let made = 0; made < count; made++) {
      const startMs = this.clock.monotonicMs()
      void this.call(name).then(({ error, endMs }) => {
        tookMs.push(endMs - startMs)
        if (error !== undefined) failed.set(error.code, (failed.get(error.code) ?? 0) + 1)
      })
      await this.clock.advance(1_000 / perSec)
    }
    for (let turns = 0; tookMs.length < count; turns++) {
      assert.ok(turns < 1_000, 'a call never ended')
      await this.clock.advance(10)
    }
    const failures = [...failed.values()].reduce((sum, one) => sum + one, 0)
    return { calls: count, failed, failures, tookMs: tookMs.sort((a, b) => a - b) }
  }

  /** How many calls an instance got in a span of time. */
  arrivalsAt(instance: string, fromMs = 0, toMs = Number.POSITIVE_INFINITY): number {
    return this.arrivals.filter(({ to, atMs }) => to === instance && atMs >= fromMs && atMs < toMs).length
  }

  /** How often something was decided, of all operations. */
  decisions(decision: string): number {
    const lines = this.metrics.toPrometheus().split('\n')
    return lines
      .filter((line) => line.startsWith('flotilla_client_decisions_total') && line.includes(`"${decision}"`))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  #of(instance: string): Behaviour {
    return this.#behaviours.get(instance) ?? {}
  }

  #pendingOf(instance: string): Set<(error: FlotillaError) => void> {
    const pending = this.#pending.get(instance) ?? new Set()
    this.#pending.set(instance, pending)
    return pending
  }

  #channelTo(instance: string): Channel {
    const isGone = (): boolean => this.#of(instance).isGone === true
    return {
      get isOpen() {
        return !isGone()
      },
      call: (request, settle) => this.#arrive(instance, request, settle),
      stream: () => {
        throw new FlotillaError('unimplemented', 'No streams here.')
      },
      close: async () => {},
    }
  }

  #arrive(to: string, request: CallRequest, settle: Settle): void {
    const { clock } = this
    const { latencyMs = 10, failedShare = 0, isHanging = false, error } = this.#of(to)
    const arrival: Arrival = { to, atMs: clock.monotonicMs(), request, isCanceled: false }
    this.arrivals.push(arrival)
    const pending = this.#pendingOf(to)
    const end = (failure: FlotillaError | undefined): void => {
      answer?.cancel()
      deadline.cancel()
      pending.delete(end)
      request.cancellation.unlisten(listener)
      const endMs = clock.monotonicMs()
      settle(failure === undefined ? Reply.of({ by: to }, endMs) : Reply.failed(failure, endMs))
    }
    const listener = {
      canceled: (failure: FlotillaError) => {
        arrival.isCanceled = true
        end(failure)
      },
    }
    const hasFailed = this.#random.next() < failedShare
    const remote = (error ?? new FlotillaError('internal', 'It failed.')).toBody()
    const answer = isHanging
      ? undefined
      : clock.schedule(latencyMs * (0.5 + this.#random.next()), () => {
          end(hasFailed ? FlotillaError.fromBody(remote) : undefined)
        })
    const deadline = clock.schedule(request.deadlineMs - clock.monotonicMs(), () => {
      end(new FlotillaError('deadline_exceeded', 'The answer did not come in time.'))
    })
    pending.add(end)
    request.cancellation.listen(listener)
  }
}
