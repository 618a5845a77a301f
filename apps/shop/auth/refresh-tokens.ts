/**
 * Sessions and their refresh tokens.
 *
 * A login starts a family of tokens. Each is used once, for the next of its family; only the newest is worth anything. Whoever
 * shows an older one holds a copy, or was robbed of the newest by somebody who does: which of the two cannot be told, so the
 * whole family ends. There is no time of grace: a client that loses the answer to a refresh logs in again.
 *
 * A session may be bound to a key of its client (DPoP): then its tokens are worth nothing without a proof of that key, whoever has
 * copied them. One that is bound to none is bound at the first refresh that brings a proof. Who shows the newest token and not the key is
 * refused and ends nothing: a thief could otherwise end the session that nobody can take.
 *
 * A token names its family, so one row a session is enough to know all tokens it ever had.
 *
 * @source RFC 9700 (OAuth 2.0 security best current practice), 4.14.2; RFC 9449, 5 (bound refresh tokens)
 * @module
 */
import { isoTime } from '@flotilla/core/clock'
import type { Ports } from '@flotilla/core/context'
import type { Random } from '@flotilla/core/random'
import type { Context } from '@flotilla/core/service'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { Account } from './accounts.ts'
import { endSessions, sessionIdOf } from './ended-sessions.ts'
import { digest, newSecret } from './secrets.ts'

const PREFIX = 'flr_'
const FAMILY_BYTES = 16
const TOKEN_BYTES = 32
/** Both parts as base64url. */
const FORM = /^(flr_[\w-]{22})[\w-]{43}$/

/** Unused for so long, a session is over. */
const IDLE_MS = 7 * 24 * 3_600_000
/** However busy, a session is over after so long. */
const ABSOLUTE_MS = 30 * 24 * 3_600_000

/** A session that may begin. */
export interface NewSession {
  /** As access tokens name it. */
  readonly id: string
  /** The first of its family. */
  readonly token: string
  /** Thumbprint of the key that it is bound to; undefined: to none. */
  readonly provenKey: string | undefined
}

/** Makes the secrets of a session; nothing is stored. */
export function newSession(random: Random, provenKey: string | undefined): NewSession {
  const family = PREFIX + newSecret(random, FAMILY_BYTES)
  return { id: sessionIdOf(digest(family)), token: family + newSecret(random, TOKEN_BYTES), provenKey }
}

/** Starts a session. */
export async function startSession(
  db: Pick<Session, 'execute'>,
  { clock }: Pick<Ports, 'clock'>,
  accountId: string,
  { token, provenKey = null }: { readonly token: string; readonly provenKey?: string | null | undefined },
): Promise<void> {
  const nowMs = clock.now()
  await db.execute(sql`
    insert into session (family_hash, token_hash, account_id, expires_at, ends_at, key_thumbprint)
    values (${digest(familyOf(token) as string)}, ${digest(token)}, ${accountId},
      ${isoTime(nowMs + IDLE_MS)}, ${isoTime(nowMs + ABSOLUTE_MS)}, ${provenKey})`)
}

/** A session that goes on, and whose it is. */
export interface Rotated {
  readonly account: Account
  readonly session: NewSession
}

/**
 * Exchanges a token for the next one. `bad_token`: it is worth nothing; its session, if it has one, is over then. `another_key`: the key of
 * its session was not proven.
 */
export async function rotate(
  ctx: Context,
  token: string,
  provenKey: string | undefined,
): Promise<Rotated | 'bad_token' | 'another_key'> {
  const family = familyOf(token)
  if (family === undefined) return 'bad_token'
  const next = family + newSecret(ctx.random, TOKEN_BYTES)
  const nowMs = ctx.clock.now()
  const proven = provenKey ?? null
  // Of two at the same time the second waits for the first, and then finds another token_hash than it looked for.
  const account = await ctx.db.maybe<Account>(sql`
    update session set token_hash = ${digest(next)}, expires_at = least(${isoTime(nowMs + IDLE_MS)}, ends_at),
      key_thumbprint = ${proven}
    from account
    where family_hash = ${digest(family)} and token_hash = ${digest(token)} and expires_at > ${isoTime(nowMs)}
      and (key_thumbprint is null or key_thumbprint = ${proven}) and account.id = account_id
    returning account.id, email, name, roles, tier, created_at as "createdAt"`)
  if (account !== undefined)
    return { account, session: { id: sessionIdOf(digest(family)), token: next, provenKey } }
  const ended = await endFamily(ctx, family, digest(token))
  if (ended !== undefined) {
    ctx.log.warn('a refresh token was used again or too late; its session ended', ended)
    return 'bad_token'
  }
  const isThere = await ctx.db.maybe(sql`select 1 from session where family_hash = ${digest(family)}`)
  return isThere === undefined ? 'bad_token' : 'another_key'
}

/** Ends the session of a token, whichever of its tokens it is. */
export async function endSession(ctx: Context, token: string): Promise<void> {
  const family = familyOf(token)
  if (family !== undefined) await endFamily(ctx, family)
}

/** Ends a session, unless `newest` is the newest of its tokens and it is bound to a key. */
async function endFamily(
  { db, clock }: Context,
  family: string,
  newest?: Buffer,
): Promise<{ readonly account: string } | undefined> {
  const [ended] = await endSessions(
    db,
    sql`family_hash = ${digest(family)} and (token_hash is distinct from ${newest ?? null}
      or key_thumbprint is null or expires_at <= ${isoTime(clock.now())})`,
  )
  return ended
}

function familyOf(token: string): string | undefined {
  return FORM.exec(token)?.[1]
}
