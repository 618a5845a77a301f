/**
 * API keys: for programs that act for a user, within scopes.
 *
 * @module
 */
import { isoTime } from '@flotilla/core/clock'
import type { Context } from '@flotilla/core/service'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import { digest, newSecret } from './secrets.ts'

const PREFIX = 'flk_'
const KEY_BYTES = 32
const SHOWN_CHARS = 12
const KEYS_MAX = 20

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

/** Draws a key. */
export function newKey({ random }: Pick<Context, 'random'>): string {
  return PREFIX + newSecret(random, KEY_BYTES)
}

/** Keeps a key. What is missing is told: the account, or room for one more. */
export async function insertKey(
  tx: Transaction,
  accountId: string,
  apiKey: Omit<ApiKey, 'prefix'>,
  key: string,
): Promise<ApiKey | 'no account' | 'no room'> {
  const { id, name, scopes, createdAt, expiresAt } = apiKey
  // One at a time for each account: who counts must not be overtaken.
  const locked = await tx.execute(sql`select 1 from account where id = ${accountId} for no key update`)
  if (locked === 0) return 'no account'
  const prefix = key.slice(0, SHOWN_CHARS)
  const inserted = await tx.execute(sql`
    insert into api_key (id, account_id, name, prefix, key_hash, scopes, created_at, expires_at)
    select ${id}, ${accountId}, ${name}, ${prefix}, ${digest(key)}, ${scopes}, ${createdAt}, ${expiresAt}
    where (select count(*) from api_key where account_id = ${accountId} and expires_at > ${createdAt}) < ${KEYS_MAX}`)
  return inserted === 0 ? 'no room' : { ...apiKey, prefix }
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
  await db.execute(sql`delete from api_key where id = ${id} and account_id = ${accountId}`)
}

/** Whom a key stands for; null when it is unknown, deleted or has run out. */
export async function userOfKey(ctx: Context, key: string): Promise<KeyUser | null> {
  const user = await ctx.db.maybe<KeyUser>(sql`
    select account.id, roles, scopes, tier
    from api_key join account on account.id = account_id
    where key_hash = ${digest(key)} and expires_at > ${isoTime(ctx.clock.now())}`)
  return user ?? null
}
