/**
 * API keys: for programs that act for a user, within scopes.
 *
 * @module
 */
import { isoTime } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import type { InputOf } from '@flotilla/core/operation'
import type { Context, OperationContext } from '@flotilla/core/service'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import type { auth } from '../contracts/auth.ts'
import { tellOf } from './ended-sessions.ts'
import { digest, newSecret } from './secrets.ts'

const PREFIX = 'flk_'
const KEY_BYTES = 32
const SHOWN_CHARS = 12
const KEYS_MAX = 20
const DAY_MS = 24 * 3_600_000
const DAYS_DEFAULT = 90

type CreateContext = OperationContext<typeof auth.operations.createApiKey.reasons>
type NewKey = InputOf<typeof auth.operations.createApiKey>

/** An API key without the key itself. */
export interface ApiKey {
  readonly id: string
  readonly name: string
  readonly prefix: string
  readonly scopes: string[]
  readonly createdAt: string
  readonly expiresAt: string
}

/** Whom a key stands for. */
export interface KeyUser {
  readonly id: string
  readonly roles: string[]
  readonly scopes: string[]
  readonly tier: string
}

/** Makes a key for the caller; the key itself is in the answer and nowhere else. */
export async function createKey(
  ctx: CreateContext,
  { name, scopes, expiresInDays = DAYS_DEFAULT }: NewKey,
): Promise<{ apiKey: ApiKey; key: string }> {
  const { user } = ctx
  // A key must not make keys that may do more than itself.
  if (user.scopes.length > 0 && !scopes.every((scope) => user.scopes.includes(scope))) {
    throw new FlotillaError('permission_denied', 'A key can pass on only the scopes that it has.')
  }
  const key = PREFIX + newSecret(ctx.random, KEY_BYTES)
  const nowMs = ctx.clock.now()
  const apiKey = {
    id: ctx.newId(),
    name,
    prefix: key.slice(0, SHOWN_CHARS),
    scopes: [...new Set(scopes)],
    createdAt: isoTime(nowMs),
    expiresAt: isoTime(nowMs + expiresInDays * DAY_MS),
  }
  return ctx.commit(async (tx) => {
    await insertKey(tx, ctx, apiKey, digest(key))
    return { apiKey, key }
  })
}

async function insertKey(tx: Transaction, ctx: CreateContext, apiKey: ApiKey, hash: Buffer): Promise<void> {
  const { id: accountId } = ctx.user
  // One at a time for each account: who counts must not be overtaken.
  const locked = await tx.execute(sql`select 1 from account where id = ${accountId} for no key update`)
  if (locked === 0) throw new FlotillaError('not_found', 'This account does not exist any more.')
  const { id, name, prefix, scopes, createdAt, expiresAt } = apiKey
  const inserted = await tx.execute(sql`
    insert into api_key (id, account_id, name, prefix, key_hash, scopes, created_at, expires_at)
    select ${id}, ${accountId}, ${name}, ${prefix}, ${hash}, ${scopes}, ${createdAt}, ${expiresAt}
    where (select count(*) from api_key where account_id = ${accountId} and expires_at > ${createdAt}) < ${KEYS_MAX}`)
  if (inserted === 0) throw ctx.fail('too_many_keys')
}

/** A user's keys that have not run out, the oldest first. */
export function listKeys(ctx: Context, accountId: string): Promise<ApiKey[]> {
  return ctx.db.many(sql`
    select id, name, prefix, scopes, created_at as "createdAt", expires_at as "expiresAt"
    from api_key where account_id = ${accountId} and expires_at > ${isoTime(ctx.clock.now())}
    order by created_at, id limit ${KEYS_MAX}`)
}

/** Deletes a key if it is the user's own. */
export async function deleteKey(db: Session, accountId: string, id: string): Promise<void> {
  await tellOf(
    db,
    sql`delete from api_key where id = ${id} and account_id = ${accountId} returning key_hash as hash, account_id`,
  )
}

/** Has gateways look up all keys of an account again. */
export async function tellOfKeysOf(db: Pick<Session, 'many'>, accountId: string): Promise<void> {
  await tellOf(db, sql`select key_hash as hash, account_id from api_key where account_id = ${accountId}`)
}

/** Whom a key stands for; null when it is unknown, deleted or has run out, or its owner is blocked. */
export async function userOfKey(ctx: Context, key: string): Promise<KeyUser | null> {
  const user = await ctx.db.maybe<KeyUser>(sql`
    select account.id, roles, scopes, tier
    from api_key join account on account.id = account_id
    where key_hash = ${digest(key)} and blocked_at is null and expires_at > ${isoTime(ctx.clock.now())}`)
  return user ?? null
}
