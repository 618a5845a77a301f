/**
 * Forgetting what has run out.
 *
 * @module
 */
import { isoTime } from '@flotilla/core/clock'
import type { Context } from '@flotilla/core/service'
import { type Sql, sql } from '@flotilla/core/sql'
import { KEPT_MS } from './ended-sessions.ts'
import { FORGOTTEN_AFTER_MS } from './login-failures.ts'
import { FLOW_MS } from './oidc-flow.ts'

const BATCH_SIZE_COUNT = 1_000
/** The next turn goes on where this one stopped. */
const BATCHES_MAX = 20
/**
 * Strangers can fail to log in with as many addresses as they like, at the price of a hashing each. Beyond so many the oldest go
 * first: to make room for ten more guesses at one account somebody would have to pay a hundred thousand.
 */
const FAILURES_KEPT_MAX = 100_000

/** Deletes rows that nothing can need any more, a batch at a time. */
export async function prune(ctx: Pick<Context, 'clock' | 'db'>): Promise<void> {
  const now = isoTime(ctx.clock.now())
  const longAgo = isoTime(ctx.clock.now() - FORGOTTEN_AFTER_MS)
  // Until its access tokens have run out, a session can be ended.
  const beforeTokens = isoTime(ctx.clock.now() - KEPT_MS)
  await inBatches(
    ctx,
    () => sql`
    delete from session where family_hash = any(array(
      select family_hash from session where expires_at <= ${beforeTokens} limit ${BATCH_SIZE_COUNT}))`,
  )
  await inBatches(
    ctx,
    () => sql`
    delete from ended_session where position = any(array(
      select position from ended_session where ended_at <= now() - ${KEPT_MS} * interval '1 ms'
      order by ended_at limit ${BATCH_SIZE_COUNT}))`,
  )
  await inBatches(
    ctx,
    () => sql`
    delete from finished_login where state_hash = any(array(
      select state_hash from finished_login where finished_at <= now() - ${2 * FLOW_MS} * interval '1 ms'
      limit ${BATCH_SIZE_COUNT}))`,
  )
  await inBatches(
    ctx,
    () => sql`
    delete from api_key where id = any(array(
      select id from api_key where expires_at <= ${now} limit ${BATCH_SIZE_COUNT}))`,
  )
  await inBatches(
    ctx,
    () => sql`
    delete from login_failure where failed_at <= ${longAgo} and email_hash = any(array(
      select email_hash from login_failure where failed_at <= ${longAgo} limit ${BATCH_SIZE_COUNT}))`,
  )
  await inBatches(
    ctx,
    () => sql`
    delete from login_failure where email_hash = any(array(
      select email_hash from login_failure order by failed_at desc
      offset ${FAILURES_KEPT_MAX} limit ${BATCH_SIZE_COUNT}))`,
  )
  // There are two or three of them; the newest stays, whatever its age: it tells the next one's ordinal.
  await ctx.db.execute(sql`
    delete from signing_key where published_until <= ${now} and ordinal < (select max(ordinal) from signing_key)`)
}

async function inBatches(ctx: Pick<Context, 'clock' | 'db'>, deletion: () => Sql): Promise<void> {
  for (let batch = 0; batch < BATCHES_MAX; batch++) {
    if ((await ctx.db.execute(deletion())) < BATCH_SIZE_COUNT) return
  }
}
