/**
 * What a group remembers of events: those it has handled, and those it could not handle.
 *
 * @module
 */
import { asSeenUpstream, isFlotillaError } from '../kernel/error.ts'
import type { Session } from '../store/session.ts'
import { sql } from '../store/sql.ts'
import type { Transaction } from '../store/transaction.ts'
import type { LoggedEvent } from './log.ts'

/**
 * How long handled events are remembered. Longer than the log keeps them, so that whatever it tells again is recognised.
 */
const KEPT_DAYS = 35
const PRUNED_AT_ONCE_MAX = 10_000
const ERROR_TEXT_MAX = 4_000
const FIRST_RETRY_MS = 1_000

/** Notes `events` in the inbox; those that were not in it before, which are to be handled in this transaction. */
export async function notYetHandled(
  tx: Transaction,
  group: string,
  events: readonly LoggedEvent[],
): Promise<readonly LoggedEvent[]> {
  const rows = await tx.many<{ id: string }>(sql`
    insert into flotilla.inbox (group_name, event_id)
    select ${group}, id from unnest(${events.map(({ event }) => event.id)}::uuid[]) as told (id)
    on conflict do nothing returning event_id as id`)
  const fresh = new Set(rows.map(({ id }) => id))
  // An event that is twice in one batch is handled once.
  return events.filter(({ event }) => fresh.delete(event.id))
}

/** The keys among those of `events` that have parked events. */
export async function parkedKeys(
  tx: Transaction,
  group: string,
  events: readonly LoggedEvent[],
): Promise<ReadonlySet<string>> {
  const keys = [...new Set(events.map(({ event }) => event.key))]
  const rows = await tx.many<{ key: string }>(sql`
    select distinct key from flotilla.parked where group_name = ${group} and key = any(${keys}::text[])`)
  return new Set(rows.map(({ key }) => key))
}

/** How often an event was tried, and what came of it. */
export interface Failure {
  readonly attempts: number
  readonly error: unknown
}

/** Parks an event: after it failed, or, without a failure, behind an earlier one of its key. */
export async function park(
  tx: Transaction,
  group: string,
  logged: LoggedEvent,
  failure?: Failure,
): Promise<void> {
  const { event, partition, position } = logged
  const isFailed = failure !== undefined
  await tx.execute(sql`
    insert into flotilla.parked (group_name, partition, position, key, event_id, topic, event, state, attempts, next_at, error)
    values (${group}, ${partition}, ${position}, ${event.key}, ${event.id}, ${event.type}, ${sql.json(event)},
      ${isFailed ? 'retrying' : 'waiting'}, ${failure?.attempts ?? 0},
      now() + ${isFailed ? FIRST_RETRY_MS : 0} * interval '1 millisecond',
      ${isFailed ? sql.json(describeError(failure.error)) : null})`)
}

/** An error as people find it beside a parked event. */
export function describeError(error: unknown): Readonly<Record<string, unknown>> {
  const { code } = isFlotillaError(error) ? error : asSeenUpstream(error, {})
  const own = error instanceof Error ? error : new Error(String(error))
  const cause = own.cause instanceof Error ? own.cause.message : undefined
  return {
    code,
    message: own.message.slice(0, ERROR_TEXT_MAX),
    ...(cause === undefined ? {} : { cause: cause.slice(0, ERROR_TEXT_MAX) }),
    stack: own.stack?.slice(0, ERROR_TEXT_MAX) ?? '',
  }
}

/** Forgets events that the log cannot tell again, a bounded number; true when there may be more. */
export async function pruneInbox(session: Session): Promise<boolean> {
  const pruned = await session.execute(sql`
    delete from flotilla.inbox where (group_name, event_id) in (
      select group_name, event_id from flotilla.inbox
      where handled_at < now() - ${KEPT_DAYS} * interval '1 day' limit ${PRUNED_AT_ONCE_MAX})`)
  return pruned === PRUNED_AT_ONCE_MAX
}
