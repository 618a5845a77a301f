/**
 * A service's part in events: what it publishes finds its way to the log, what it reacts to finds its way to its reactions.
 *
 * @module
 */
import { eventLog } from '../events/contract.ts'
import type { Envelope } from '../events/envelope.ts'
import { Group } from '../events/group.ts'
import type { GroupMetrics, GroupOptions } from '../events/group-options.ts'
import type { EventLog } from '../events/log.ts'
import { Outbox } from '../events/outbox.ts'
import { Relay } from '../events/relay.ts'
import { RemoteEventLog } from '../events/remote-log.ts'
import { Cancellation } from '../kernel/cancellation.ts'
import type { Closing } from '../kernel/closing.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import type { ScopeEnvironment } from '../service/call-scope.ts'
import type { Reaction } from '../service/definition.ts'
import { ReactionScope, react } from '../service/reaction-scope.ts'
import type { Database } from '../store/database.ts'
import { sql } from '../store/sql.ts'
import type { Transaction } from '../store/transaction.ts'
import type { Worker } from '../store/worker.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type Network, ownContext } from './network.ts'
import type { HostParts } from './parts.ts'

/** Longest time for one reaction, well below that of its transaction. */
const REACTION_MS_MAX = 5_000
/** Instances of a service wake each other's relay through this channel of their database. */
const CHANNEL = 'flotilla_outbox'
/** Notifications of one instance are at least so far apart: each takes a lock of the whole server. */
const NOTIFY_MS = 5
const NOTIFY_MS_MAX = 1_000

/** What it takes. */
export interface EventsOptions {
  readonly parts: HostParts
  readonly network: Network
  readonly service: string
  /** True when its contract has events: another one has no need of a relay, and of the connection that wakes it. */
  readonly isPublisher: boolean
  readonly reactions: readonly Reaction[]
  readonly database: Database
  readonly worker: Worker
  readonly closing: Closing
}

/** The event log as `service` reaches it, for itself; undefined in an app without one. */
export function eventLogOf(parts: HostParts, network: Network, service: string): EventLog | undefined {
  if (!Object.hasOwn(parts.app.services, eventLog.name)) return undefined
  return new RemoteEventLog((cancellation) =>
    network.client.calls(eventLog, ownContext(parts.ports, cancellation), service),
  )
}

/** A service's way to the event log. */
export class ServiceEvents {
  readonly outbox: Outbox
  readonly #options: EventsOptions
  #relay: Relay | undefined

  constructor(options: EventsOptions) {
    this.#options = options
    this.outbox = new Outbox(options.service, options.parts.ports, () => this.#relay?.wake())
  }

  /** Begins to send and to react; ends with the service. Nothing is sent in an app without an event log: it waits. */
  start(environment: ScopeEnvironment): void {
    const { service, isPublisher, reactions, closing } = this.#options
    const log = this.#log()
    if (log === undefined) return
    if (isPublisher) this.#startRelay(log)
    if (reactions.length === 0) return
    const topics = [...new Set(reactions.map(({ topic }) => topic))]
    const group = this.join(service, topics, async (events, tx) => {
      // One after the other, whatever their keys: a reaction may rely on nothing else going on in its transaction.
      for (const event of events) await this.#reactTo(environment, event, tx)
    })
    closing.defer(`reactions of ${service}`, () => group.close())
  }

  async #reactTo(environment: ScopeEnvironment, event: Envelope, tx: Transaction): Promise<void> {
    const { parts, service, reactions } = this.#options
    const { ports, spans } = parts
    const parent = TraceContext.parse(event.traceparent) ?? TraceContext.open(ports.random, false)
    const trace = parent.child(ports.random)
    const startMs = ports.clock.monotonicMs()
    const scope = new ReactionScope(environment, event, tx, startMs + REACTION_MS_MAX, trace)
    let code: 'ok' | 'internal' = 'internal'
    tx.trace = trace
    try {
      await react(reactions, event, scope)
      code = 'ok'
    } finally {
      tx.trace = undefined
      const durationMs = ports.clock.monotonicMs() - startMs
      const name = `${service} on ${event.type}`
      const attributes = { 'messaging.message.id': event.id, 'messaging.destination.name': event.type }
      spans.record(service, name, 'consumer', trace, parent, startMs, durationMs, code, attributes)
    }
  }

  /** Takes part in a group until it is closed, which is for the caller to do. */
  join(name: string, topics: readonly string[], handle: GroupOptions['react']): { close(): Promise<void> } {
    const log = this.#log()
    // Nothing to leave: there is no log to follow.
    if (log === undefined) return { close: async () => {} }
    const { parts, service } = this.#options
    return new Group({
      ...this.#options,
      name,
      topics,
      eventLog: log,
      ports: parts.ports,
      log: parts.logOf(service),
      metrics: metricsOf(parts.metrics, service, name),
      react: handle,
    })
  }

  #startRelay(log: EventLog): void {
    const { parts, service, database, worker, closing } = this.#options
    const { ports, metrics } = parts
    const relay = new Relay({
      service,
      database,
      worker,
      eventLog: log,
      ports,
      log: parts.logOf(service),
      relayed: metrics
        .counter('flotilla_events_relayed_total', 'Events sent to the event log.', ['service'])
        .with(service),
      waiting: metrics
        .gauge('flotilla_outbox_waiting', 'Events in the outbox, at the last look; at most one batch.', [
          'service',
        ])
        .with(service),
      tellOwner: this.#notifier(),
    })
    this.#relay = relay
    closing.defer(`relay of ${service}`, () => relay.close())
    const listener = database.listen(CHANNEL, () => relay.wakeIfOwner())
    closing.defer(`notifications of ${service}`, () => listener.close())
  }

  /** Notifies the other instances, now and then at most. */
  #notifier(): () => void {
    const { parts, database, service } = this.#options
    const { clock } = parts.ports
    let isPending = false
    return () => {
      if (isPending) return
      isPending = true
      clock.schedule(NOTIFY_MS, () => {
        isPending = false
        const deadlineMs = clock.monotonicMs() + NOTIFY_MS_MAX
        const session = database.session({ deadlineMs, cancellation: new Cancellation() })
        session.execute(sql`select pg_notify(${CHANNEL}, '')`).catch((error: unknown) => {
          parts.logOf(service).debug('the relay was not woken; it looks by itself', { error })
        })
      })
    }
  }

  #log(): EventLog | undefined {
    const { parts, network, service } = this.#options
    return eventLogOf(parts, network, service)
  }
}

function metricsOf(metrics: Metrics, service: string, group: string): GroupMetrics {
  const delay = metrics
    .histogram(
      'flotilla_event_delay_seconds',
      'From the publishing of an event to the commit of its reactions.',
      ['service', 'group'],
    )
    .with(service, group)
  const counter = (name: string, help: string) =>
    metrics.counter(name, help, ['service', 'group']).with(service, group)
  const handled = counter('flotilla_events_handled_total', 'Events handled.')
  const parked = counter('flotilla_events_parked_total', 'Events parked after failing.')
  const dead = counter('flotilla_events_dead_total', 'Events that failed for good; people decide.')
  const missed = counter(
    'flotilla_events_gaps_total',
    'Times that the log had forgotten events before they were handled.',
  )
  const lag = metrics
    .gauge('flotilla_group_lag', 'Positions of the log between the last event handled and its end.', [
      'service',
      'group',
    ])
    .with(service, group)
  return {
    handled(delayMs) {
      handled.add()
      delay.observe(delayMs)
    },
    parked: () => parked.add(),
    dead: () => dead.add(),
    missed: () => missed.add(),
    lag: (positions) => lag.set(positions),
  }
}
