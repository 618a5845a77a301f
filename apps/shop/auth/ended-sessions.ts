/**
 * Ending sessions, so that gateways hear of it.
 *
 * A session that ends leaves a row behind, until no access token of it can be good any more. An API key does, too, by its hash: gateways
 * remember keys for a while. The rows are numbered from one counter,
 * whose lock is held until the commit: so they become visible in the order of their positions, and "all up to here" is something a
 * gateway can remember. It is taken last, and briefly.
 *
 * @module
 */
import type { Session } from '@flotilla/core/session'
import { type Sql, sql } from '@flotilla/core/sql'

/** How long a row stays: longer than any access token lives, and clocks go wrong. */
export const KEPT_MS = 20 * 60_000

/** Beyond so many the session that has been idle for longest ends. */
const SESSIONS_MAX = 100

/** What access tokens call a session (`sid`): a name that is no secret, and tells none. */
export function sessionIdOf(familyHash: Buffer): string {
  return familyHash.toString('base64url')
}

/** Ends the sessions for which `condition` holds; gives whose they were. Late in its transaction: others wait for the counter. */
export async function endSessions(
  db: Pick<Session, 'many'>,
  condition: Sql,
): Promise<readonly { readonly account: string }[]> {
  return tellOf(db, sql`delete from session where ${condition} returning family_hash as hash, account_id`)
}

/** Tells gateways of all that a query gives, with `hash` and `account_id`: sessions, or API keys to be looked up again. As late as `endSessions`. */
export async function tellOf(
  db: Pick<Session, 'many'>,
  ended: Sql,
): Promise<readonly { readonly account: string }[]> {
  return db.many(sql`
    with ended as (${ended}), head as (
      update ended_session_head set position = position + (select count(*) from ended)
      where exists (select from ended) returning position
    ), told as (
      insert into ended_session (position, family_hash)
      select head.position + 1 - row_number() over (), hash from ended, head
    )
    select account_id as account from ended`)
}

/** Ends all sessions of an account. */
export async function endSessionsOf(db: Pick<Session, 'many'>, accountId: string): Promise<void> {
  await endSessions(db, sql`account_id = ${accountId}`)
}

/** Ends what an account has beyond its bound. */
export async function endSurplusSessions(db: Pick<Session, 'many'>, accountId: string): Promise<void> {
  await endSessions(
    db,
    sql`family_hash in (
      select family_hash from session where account_id = ${accountId} order by expires_at desc offset ${SESSIONS_MAX})`,
  )
}

/** At most `limit` of those after a position. One that was never given, as by a database that was restored since, counts as 0. */
export async function endedSessionsAfter(
  db: Session,
  after: number,
  limit: number,
): Promise<{ readonly sessionIds: string[]; readonly position: number }> {
  // One statement, so that the head is not ahead of the rows.
  const rows = await db.many<{ position: number; familyHash: Buffer | null }>(sql`
    with head as (
      select position, case when position < ${after} then 0 else ${after} end as after from ended_session_head
    )
    select coalesce(ended.position, head.position) as position, family_hash as "familyHash"
    from head left join lateral (
      select position, family_hash from ended_session
      where position > head.after order by position limit ${limit}) ended on true
    order by 1`)
  const sessionIds = rows.flatMap(({ familyHash }) => (familyHash === null ? [] : [sessionIdOf(familyHash)]))
  return { sessionIds, position: rows.at(-1)?.position ?? 0 }
}
