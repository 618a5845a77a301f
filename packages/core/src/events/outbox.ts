/**
 * Publishing: an event is written into the service's own database in the transaction of what it tells, so that one is never
 * there without the other. The relay takes it from there to the event log.
 *
 * @module
 */
import type { EventType } from '../contract/event.ts'
import { lazyCheck, type Static, type TSchema } from '../contract/schema.ts'
import { isoTime } from '../kernel/clock.ts'
import type { Ports } from '../kernel/context.ts'
import { crashpoint } from '../kernel/crashpoint.ts'
import { FlotillaError } from '../kernel/error.ts'
import type { TraceContext } from '../kernel/trace-context.ts'
import { sql } from '../store/sql.ts'
import type { Transaction } from '../store/transaction.ts'
import { dataJson, Envelope } from './envelope.ts'

const checkEnvelope = lazyCheck(Envelope)

/** In what course of things an event is published. */
export interface Cause {
  readonly trace: TraceContext
  /** What everything that follows from one request has in common: its id, or that of its trace. */
  readonly correlationId: string
  /** The event that is being reacted to; null when there is none. */
  readonly causationId: string | null
}

/** The events of one service on their way out. */
export class Outbox {
  readonly #service: string
  readonly #ports: Ports
  readonly #onPublished: () => void

  /** `onPublished` is told after the commit of a transaction that published. */
  constructor(service: string, ports: Ports, onPublished: () => void) {
    this.#service = service
    this.#ports = ports
    this.#onPublished = onPublished
  }

  /**
   * Publishes within `tx`: nobody hears of the event unless `tx` commits.
   *
   * @throws FlotillaError `internal` for an event of another service, or data its contract does not allow.
   */
  async publish<D extends TSchema>(
    tx: Transaction,
    type: EventType<D>,
    data: Static<D>,
    cause: Cause,
  ): Promise<void> {
    const event = this.#envelope(type, data, cause)
    tx.send(sql`insert into flotilla.outbox (event) values (${sql.json(event)})`)
    tx.afterCommit(() => {
      crashpoint('outbox.after-commit', this.#service)
      this.#onPublished()
    })
  }

  #envelope(type: EventType, data: unknown, { trace, correlationId, causationId }: Cause): Envelope {
    if (type.service !== this.#service) {
      throw new FlotillaError('internal', `${this.#service} cannot publish ${type.id}.`)
    }
    const issues = type.check(data)
    if (issues !== undefined) throw unfit(type, JSON.stringify(issues))
    const key = String((data as Readonly<Record<string, unknown>>)[type.key])
    dataJson({ type: type.id, data })
    const event: Envelope = {
      id: this.#ports.newId(),
      type: type.id,
      version: type.version,
      source: this.#service,
      time: isoTime(this.#ports.clock.now()),
      key,
      correlationId,
      causationId,
      traceparent: trace.toString(),
      data,
    }
    // What the log would refuse must not get into the outbox: nothing could leave it any more.
    const faults = checkEnvelope(event)
    if (faults !== undefined) throw unfit(type, JSON.stringify(faults))
    return event
  }
}

function unfit({ id }: EventType, why: string): FlotillaError {
  return new FlotillaError('internal', `An event ${id} cannot be published: ${why}.`)
}
