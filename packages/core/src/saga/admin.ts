/**
 * Sagas for people: which there are, what happened to one, and another try for one that is parked.
 *
 * @module
 */
import type { Queries } from '../store/queries.ts'
import { sql } from '../store/sql.ts'
import type { Direction, SagaCause, SagaStatus } from './definition.ts'

/** A saga as it stands in the database. */
export interface SagaView {
  readonly id: string
  readonly name: string
  readonly status: SagaStatus
  /** What is done or undone next; null when it has ended. */
  readonly step: string | null
  readonly direction: Direction
  /** Of the current step, as far as they failed. */
  readonly attempts: number
  /** When it goes on, while it is waiting. */
  readonly nextAt: string | null
  /** Which instance runs it; null when none does. */
  readonly owner: string | null
  /** What went wrong last. */
  readonly error: SagaCause | null
  /** Why it is compensated. */
  readonly cause: SagaCause | null
  /** Trace id: 32 hexadecimal digits. */
  readonly traceId: string
  readonly createdAt: string
  readonly updatedAt: string
}

/** One entry of a saga's history. */
export interface SagaEntry {
  readonly seq: number
  /** Null when nothing was left to do. */
  readonly step: string | null
  readonly direction: Direction
  readonly outcome: 'done' | 'refused' | 'failed' | 'later' | 'parked' | 'taken over' | 'retried'
  readonly error: SagaCause | null
  readonly at: string
}

/** A saga with all that happened to it. */
export interface SagaHistory extends SagaView {
  /** JSON. */
  readonly state: unknown
  /** Oldest first; failures and waits beyond the 200th entry are left out. */
  readonly entries: readonly SagaEntry[]
}

/** Which sagas to list. */
export interface SagaFilter {
  /** Default: any. */
  readonly status?: SagaStatus
  /** Default: any. */
  readonly name?: string
  /** At most so many, 1 to 1000. */
  readonly limit: number
  /** The `nextCursor` of the page before. */
  readonly cursor?: string
}

const view = sql`
  saga.seq, saga.id, saga.name, saga.status, saga.step, saga.direction, saga.attempts, saga.next_at as "nextAt",
  (select instance from flotilla.worker where worker.id = saga.owner) as owner, saga.error, saga.cause,
  split_part(saga.trace, '-', 2) as "traceId", saga.created_at as "createdAt", saga.updated_at as "updatedAt"`

/** One page, the latest first. */
export async function listSagas(
  queries: Queries,
  { status, name, limit, cursor }: SagaFilter,
): Promise<{ readonly items: readonly SagaView[]; readonly nextCursor: string | null }> {
  const before = cursor !== undefined && /^\d{1,15}$/.test(cursor) ? Number(cursor) : Number.MAX_SAFE_INTEGER
  const rows = await queries.many<SagaView & { readonly seq: number }>(sql`
    select ${view} from flotilla.saga
    where seq < ${before} and (${status ?? null}::text is null or status = ${status ?? null})
      and (${name ?? null}::text is null or name = ${name ?? null})
    order by seq desc limit ${limit}`)
  const last = rows.length === limit ? rows.at(-1) : undefined
  return { items: rows.map(withoutSeq), nextCursor: last === undefined ? null : String(last.seq) }
}

/** A saga with its history; undefined when there is none with this id. */
export async function showSaga(queries: Queries, id: string): Promise<SagaHistory | undefined> {
  const row = await queries.maybe<Omit<SagaHistory, 'entries'> & { readonly seq: number }>(
    sql`select ${view}, saga.state from flotilla.saga where id = ${id}`,
  )
  if (row === undefined) return undefined
  const entries = await queries.many<SagaEntry>(sql`
    select seq, step, direction, outcome, error, at from flotilla.saga_step where saga = ${id} order by seq`)
  return { ...withoutSeq(row), entries }
}

/** Makes a parked saga ready, as if its step had never failed; false when it is not parked. */
export async function retrySaga(queries: Queries, id: string): Promise<boolean> {
  const retried = await queries.execute(sql`
    with retried as (
      update flotilla.saga set status = 'ready', attempts = 0, failing_since = null, entries = entries + 1,
        updated_at = now()
      where id = ${id} and status = 'parked'
      returning id, entries, step, direction)
    insert into flotilla.saga_step (saga, seq, step, direction, outcome)
    select id, entries, step, direction, 'retried' from retried`)
  return retried === 1
}

/** How many sagas are in line before this one comes to run, itself included; undefined when it does not stand in line. */
export async function queuePlace(queries: Queries, id: string): Promise<number | undefined> {
  const { place } = await queries.one<{ place: number }>(sql`
    select count(*) as place from flotilla.saga
    where status = 'ready' and seq <= (select seq from flotilla.saga where id = ${id} and status = 'ready')`)
  return place || undefined
}

function withoutSeq<T extends { readonly seq: number }>({ seq: _, ...rest }: T): Omit<T, 'seq'> {
  return rest
}
