/**
 * The rows of sagas: how they are begun, claimed and moved on. Life of a row:
 *
 * - **ready**: wants to run and nobody does it: more were started than there is room for, or its owner left in order.
 *   Taken in the order of starting.
 * - **running**: a worker owns it. It moves on from step to step under the same owner, one commit a step, which only takes
 *   effect while owner and fencing number are still the same. When the owner is dead, another worker takes it over, which draws the
 *   next fencing number: what the old one may still be about to write finds another number and is dropped.
 * - **waiting**: for a time (`next_at`, by the database's clock) or to be woken; nobody owns it.
 * - **completed**, **compensated**: the end.
 * - **parked**: for people, who make it ready again.
 *
 * @module
 */
import type { Queries } from '../store/queries.ts'
import { sql } from '../store/sql.ts'
import { workerIsDead } from '../store/worker.ts'
import type { Direction, SagaCause } from './definition.ts'
import type { Plan } from './plan.ts'

/** Entries of failures and waits in one saga's history; those of what was done are always kept. */
const ENTRIES_MAX = 200
/** What this worker owns without knowing (a commit whose outcome it never learned) is claimed after this. */
const FORGOTTEN_S = 5
/** How long finished ones are kept. */
const KEPT_DAYS = 30

/** The right to run a saga, and where it stands. */
export interface Claimed {
  readonly id: string
  readonly name: string
  readonly state: object
  readonly step: string
  readonly direction: Direction
  readonly attempts: number
  /** How long the step had been failing when it was claimed, 0 when it had not. */
  readonly failingMs: number
  readonly fencing: number
  /** Why it goes backward; null when it goes forward. */
  readonly cause: SagaCause | null
  /** W3C traceparent. */
  readonly trace: string
}

/** What is inserted. */
export interface NewSaga {
  readonly id: string
  readonly name: string
  readonly state: object
  readonly step: string
  readonly trace: string
  /** Who runs it at once; null: it waits for its turn. */
  readonly owner: string | null
}

/** Inserts a saga; false when there is one with this id. */
export async function insertSaga(queries: Queries, saga: NewSaga): Promise<boolean> {
  const { id, name, state, step, trace, owner } = saga
  const status = owner === null ? 'ready' : 'running'
  const inserted = await queries.execute(sql`
    insert into flotilla.saga (id, name, state, step, status, owner, trace)
    values (${id}, ${name}, ${sql.json(state)}, ${step}, ${status}, ${owner}, ${trace})
    on conflict (id) do nothing`)
  return inserted === 1
}

/** What a worker looks for. */
export interface ClaimWish {
  readonly worker: string
  /** Of the sagas it knows how to run. */
  readonly names: readonly string[]
  /** What it runs already. */
  readonly mine: readonly string[]
  readonly limit: number
}

/** Claims sagas, none while the worker itself counts as dead: those whose owner is dead first, then those whose time has come, then those that wait for their turn. */
export function claimSagas(
  queries: Queries,
  { worker, names, mine, limit }: ClaimWish,
): Promise<readonly Claimed[]> {
  const isForgotten = sql`owner = ${worker} and not id = any(${mine}::text[])
    and updated_at < now() - ${FORGOTTEN_S} * interval '1 second'`
  return queries.many<Claimed>(sql`
    with orphaned as (
      select id from flotilla.saga
      where status = 'running' and name = any(${names}::text[]) and (${workerIsDead(sql`owner`)} or (${isForgotten}))
      limit ${limit}::bigint for update skip locked),
    due as (
      select id from flotilla.saga where status = 'waiting' and next_at <= now() and name = any(${names}::text[])
      order by next_at limit ${limit}::bigint for update skip locked),
    ready as (
      select id from flotilla.saga where status = 'ready' and name = any(${names}::text[])
      order by seq limit ${limit}::bigint for update skip locked),
    picked as (
      select id, 1 as was_running from orphaned
      union all select id, 0 from due union all select id, 0 from ready
      limit case when ${workerIsDead(sql`${worker}::uuid`)} then 0 else ${limit}::bigint end),
    taken as (
      update flotilla.saga set status = 'running', owner = ${worker}, fencing = fencing + 1, next_at = null, woken = false,
        entries = entries + was_running, updated_at = now()
      from picked where picked.id = saga.id
      returning saga.*, was_running),
    noted as (
      insert into flotilla.saga_step (saga, seq, step, direction, outcome)
      select id, entries, step, direction, 'taken over' from taken where was_running = 1)
    select id, name, state, step, direction, attempts, fencing, cause, trace,
      coalesce(extract(epoch from now() - failing_since) * 1000, 0)::float8 as "failingMs"
    from taken order by seq`)
}

/** Milliseconds until the next waiting saga's time, 0 when it has come; undefined when none waits. */
export async function nextDueMs(queries: Queries, names: readonly string[]): Promise<number | undefined> {
  const { dueMs } = await queries.one<{ dueMs: number | null }>(sql`
    select extract(epoch from min(next_at) - now())::float8 * 1000 as "dueMs"
    from flotilla.saga where status = 'waiting' and name = any(${names}::text[])`)
  // Not in SQL: there the greater one of 0 and nothing is 0.
  return dueMs === null ? undefined : Math.max(0, dueMs)
}

/** How a move is written down. */
export interface Move {
  readonly claimed: Claimed
  readonly worker: string
  readonly plan: Plan
  /** With what the step returned. */
  readonly state: object
  /** True gives a saga that would go on to whoever has room. */
  readonly isLeaving: boolean
}

/**
 * Moves a saga on, if it is still this worker's and stands where the worker thinks: an earlier move, whose commit was not answered,
 * may take effect only now. Gives how long it is to wait, 0 when it is not to. False, and nothing is changed, when it is not so.
 */
export async function moveSaga(queries: Queries, move: Move): Promise<false | number> {
  const { claimed, worker, plan, state, isLeaving } = move
  const status = plan.status === 'running' && isLeaving ? 'ready' : plan.status
  const error = plan.error === null ? null : sql.json(plan.error)
  const moved = await queries.maybe<{ waitMs: number }>(sql`
    with moved as (
      update flotilla.saga set
        state = ${sql.json(state)}, step = ${plan.step}, direction = ${plan.direction}, status = ${status},
        attempts = ${plan.attempts}, woken = false, error = ${error}, entries = entries + 1, updated_at = now(),
        owner = case when ${status} = 'running' then owner end,
        failing_since = case when ${plan.attempts}::int > 0 then coalesce(failing_since, now()) end,
        cause = case when ${plan.isCause} then ${error} else cause end,
        next_at = case when ${plan.waitMs}::float8 is null then null
          when woken and ${plan.entry} = 'later' then now()
          else now() + ${plan.waitMs}::float8 * interval '1 millisecond' end
      where id = ${claimed.id} and status = 'running' and owner = ${worker} and fencing = ${claimed.fencing}
        and step = ${claimed.step} and direction = ${claimed.direction} and attempts = ${claimed.attempts}
      returning id, entries, next_at),
    noted as (
      insert into flotilla.saga_step (saga, seq, step, direction, outcome, error)
      select id, entries, ${claimed.step}, ${claimed.direction}, ${plan.entry}::text, ${error}::json from moved
      where entries <= ${ENTRIES_MAX} or ${plan.entry} not in ('failed', 'later'))
    select coalesce(greatest(0, extract(epoch from next_at - now()) * 1000), 0)::float8 as "waitMs" from moved`)
  return moved?.waitMs ?? false
}

/** Where a saga stands that this worker owns, or undefined when it does not any more. */
export function reloadSaga(
  queries: Queries,
  worker: string,
  { id, fencing }: Claimed,
): Promise<Claimed | undefined> {
  return queries.maybe<Claimed>(sql`
    select id, name, state, step, direction, attempts, fencing, cause, trace,
      coalesce(extract(epoch from now() - failing_since) * 1000, 0)::float8 as "failingMs"
    from flotilla.saga
    where id = ${id} and status = 'running' and owner = ${worker} and fencing = ${fencing}`)
}

/** Gives a saga back that was never begun here. */
export async function giveBackSaga(
  queries: Queries,
  worker: string,
  { id, fencing }: Claimed,
): Promise<void> {
  await queries.execute(sql`
    update flotilla.saga set status = 'ready', owner = null
    where id = ${id} and status = 'running' and owner = ${worker} and fencing = ${fencing}`)
}

/** How many of each saga are in each status that is not an end. */
export function countSagas(
  queries: Queries,
): Promise<readonly { name: string; status: string; count: number }[]> {
  // One by one, for each has an index of its own.
  return queries.many(sql`
    select name, 'ready' as status, count(*) as count from flotilla.saga where status = 'ready' group by name
    union all select name, 'running', count(*) from flotilla.saga where status = 'running' group by name
    union all select name, 'waiting', count(*) from flotilla.saga where status = 'waiting' group by name
    union all select name, 'parked', count(*) from flotilla.saga where status = 'parked' group by name`)
}

/** Forgets what ended a month ago, a bounded number at a time. */
export async function pruneSagas(queries: Queries): Promise<void> {
  await queries.execute(sql`
    delete from flotilla.saga where id in (
      select id from flotilla.saga
      where step is null and updated_at < now() - ${KEPT_DAYS} * interval '1 day' limit 10000)`)
}
