/**
 * What is in the tables: events as rows, out and in, and how far the log goes.
 *
 * @module
 */
import { isoTime, parseIsoTime } from '@flotilla/core/clock'
import { dataJson, type Envelope, partitionOf } from '@flotilla/core/envelope'
import { FlotillaError } from '@flotilla/core/error'
import type { Head, LoggedEvent } from '@flotilla/core/event-log'
import { sql } from '@flotilla/core/sql'
import type { UseDatabase } from './use-database.ts'

/** A row of `event`, as every statement here selects it. */
export interface EventRow {
  readonly position: number
  readonly partition: number
  readonly id: string
  readonly type: string
  readonly version: number
  readonly source: string
  readonly time: string
  readonly key: string
  readonly correlation_id: string
  readonly causation_id: string | null
  readonly traceparent: string
  readonly data: unknown
}

/** The event of a row. */
export function loggedOf(row: EventRow): LoggedEvent {
  return {
    position: row.position,
    partition: row.partition,
    event: {
      id: row.id,
      type: row.type,
      version: row.version,
      source: row.source,
      time: row.time,
      key: row.key,
      correlationId: row.correlation_id,
      causationId: row.causation_id,
      traceparent: row.traceparent,
      data: row.data,
    },
  }
}

/** An event as it is written. */
export interface WrittenEvent {
  readonly event: Envelope
  readonly partition: number
  readonly time: string
  readonly data: string
}

/**
 * Prepares one for writing. What is wrong must show here: in a transaction it would take others down with it.
 *
 * @throws FlotillaError `permission_denied` (reason `not_yours`) when it is not one of `source`, `invalid_argument`.
 */
export function writtenOf(source: string, event: Envelope): WrittenEvent {
  if (event.source !== source || !event.type.startsWith(`${source}.`)) {
    const message = `${source} may append only its own events, not ${event.type} of ${event.source}.`
    throw new FlotillaError('permission_denied', message, { executed: 'no', reason: 'not_yours' })
  }
  const timeMs = parseIsoTime(event.time)
  if (Number.isNaN(timeMs)) {
    const message = `The time of ${event.type} is none that ever is.`
    throw new FlotillaError('invalid_argument', message, { executed: 'no' })
  }
  return { event, partition: partitionOf(event.key), time: isoTime(timeMs), data: dataJson(event) }
}

/** As it is told once it has its position: what another reader gets from the table. */
export function loggedAs(position: number, { event, partition, time, data }: WrittenEvent): LoggedEvent {
  return { position, partition, event: { ...event, time, data: JSON.parse(data) } }
}

/** How far the log goes. */
export function readHead(use: UseDatabase): Promise<Head> {
  return use((db) =>
    db.one<Head>(sql`
      select h.position, coalesce((select min(position) from event), h.position + 1) as oldest from log_head h`),
  )
}
