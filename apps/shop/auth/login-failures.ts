/**
 * Lock-out: after ten failed logins in a row an address has to wait, longer after each further failure. Kept for addresses
 * without an account too, so that being locked out tells nothing. While locked out, the right password is refused as well: an
 * answer would be another guess. Who is logged in already stays so.
 *
 * Attempts are counted when they have failed, so as many as are hashed at once may slip past the limit together.
 *
 * @module
 */
import { isoTime, parseIsoTime } from '@flotilla/core/clock'
import type { Context } from '@flotilla/core/service'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'

/** @source NIST SP 800-63B-4, 3.2.2: at most 100 in a row. */
const FREE_FAILURES = 10
const FIRST_WAIT_MS = 30_000
const WAIT_MS_MAX = 15 * 60_000
/** A row so old is forgotten by `prune`, longer than any wait. */
export const FORGOTTEN_AFTER_MS = 24 * 3_600_000

/** How long after the last of `failures` in a row the next attempt is let in. */
function lockoutMs(failures: number): number {
  if (failures < FREE_FAILURES) return 0
  return Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** (failures - FREE_FAILURES))
}

/** How long an address still has to wait; 0 when it may try. */
export async function remainingLockoutMs(ctx: Context, emailHash: Buffer): Promise<number> {
  const row = await ctx.db.maybe<{ failures: number; failedAt: string }>(sql`
    select failures, failed_at as "failedAt" from login_failure where email_hash = ${emailHash}`)
  if (row === undefined) return 0
  return Math.max(0, parseIsoTime(row.failedAt) + lockoutMs(row.failures) - ctx.clock.now())
}

/** Counts one more. */
export async function countFailure(ctx: Context, emailHash: Buffer): Promise<void> {
  await ctx.db.execute(sql`
    insert into login_failure (email_hash, failures, failed_at)
    values (${emailHash}, 1, ${isoTime(ctx.clock.now())})
    on conflict (email_hash) do update
      set failures = login_failure.failures + 1, failed_at = excluded.failed_at`)
}

/** After a login that succeeded. */
export async function forgetFailures(db: Pick<Session, 'execute'>, emailHash: Buffer): Promise<void> {
  await db.execute(sql`delete from login_failure where email_hash = ${emailHash}`)
}
