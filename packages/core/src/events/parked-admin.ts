/**
 * Parked events as people see and treat them: what could not be handled, why, what waits behind it, and another try.
 *
 * Only the first event of a key is ever tried, so whatever is dead is the first of its key; the later ones are `waiting`.
 * Driving a dead one again brings them along: each is tried when the one before it is gone.
 *
 * @module
 */
import type { Queries } from '../store/queries.ts'
import { sql } from '../store/sql.ts'

/** An event that failed, without what is in it. */
export interface ParkedEvent {
  /** Unique in the database; later ones are greater. */
  readonly id: number
  /** The group of consumers that could not handle it. */
  readonly group: string
  readonly topic: string
  readonly key: string
  readonly eventId: string
  readonly partition: number
  /** In the event log. */
  readonly position: number
  /** retrying: tried again at `nextAt`. dead: people decide. waiting: behind an earlier one of its key. */
  readonly state: 'waiting' | 'retrying' | 'dead'
  /** Attempts that failed. */
  readonly attempts: number
  readonly nextAt: string
  readonly parkedAt: string
  /** Later events of its key that wait for it. */
  readonly behind: number
  /** Of the last attempt, at least `code` and `message`; null when there was none. */
  readonly error: Readonly<Record<string, unknown>> | null
}

const columns = sql`
  id, group_name as "group", topic, key, event_id as "eventId", partition, position, state, attempts, next_at as "nextAt",
  parked_at as "parkedAt", error,
  (select count(*) from flotilla.parked as later
    where later.group_name = parked.group_name and later.key = parked.key and later.id > parked.id) as behind`

/** Events that failed, dead ones first, then the oldest first; at most `limit`. Those that only wait are counted in `behind`. */
export function listParked(queries: Queries, limit: number): Promise<readonly ParkedEvent[]> {
  return queries.many<ParkedEvent>(sql`
    select ${columns} from flotilla.parked where state <> 'waiting' order by state = 'dead' desc, id limit ${limit}`)
}

/** How many events each group has parked, those that only wait included. */
export async function countParked(queries: Queries): Promise<ReadonlyMap<string, number>> {
  const rows = await queries.many<{ group: string; count: number }>(sql`
    select group_name as "group", count(*)::int as count from flotilla.parked group by 1`)
  return new Map(rows.map(({ group, count }) => [group, count]))
}

/** How many are dead, in all groups together. */
export async function countDead(queries: Queries): Promise<number> {
  const { count } = await queries.one<{ count: number }>(sql`
    select count(*)::int as count from flotilla.parked where state = 'dead'`)
  return count
}

/** One event with all that is in it; undefined when it is not parked, or not any more. */
export function showParked(
  queries: Queries,
  id: number,
): Promise<(ParkedEvent & { readonly event: Readonly<Record<string, unknown>> }) | undefined> {
  return queries.maybe(sql`select ${columns}, event from flotilla.parked where id = ${id}`)
}

/**
 * Has dead events tried again at once, with all their attempts before them; returns which. The others of `ids` are left alone:
 * they are tried anyway, wait for an earlier one, or are gone.
 */
export async function redriveParked(
  queries: Queries,
  ids: readonly number[] | 'all',
): Promise<readonly number[]> {
  const isWanted = ids === 'all' ? sql`true` : sql`id = any(${ids}::bigint[])`
  const rows = await queries.many<{ id: number }>(sql`
    update flotilla.parked set state = 'retrying', attempts = 0, next_at = now()
    where state = 'dead' and ${isWanted}
    returning id`)
  return rows.map(({ id }) => id).sort((a, b) => a - b)
}
