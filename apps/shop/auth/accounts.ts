/**
 * Accounts in the database.
 *
 * @module
 */
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'

/** Somebody who can log in. */
export interface Account {
  readonly id: string
  /** Lower-cased. */
  readonly email: string
  readonly name: string
  readonly roles: string[]
  /** Decides how often the gateway lets them ask. */
  readonly tier: string
  readonly createdAt: string
}

/** What a password is compared with, and stays the same until it is changed. */
export interface PasswordOf {
  readonly passwordHash: string
}

/** The form in which an address is stored and compared. */
export function canonicalEmail(email: string): string {
  return email.toLowerCase()
}

/**
 * Opens an account; false when its address is taken, also by somebody who registers at this moment.
 *
 * @param passwordHash absent: nobody gets in by a password
 */
export async function insertAccount(
  db: Pick<Session, 'execute'>,
  account: Account,
  passwordHash?: string,
): Promise<boolean> {
  const { id, email, name, roles, tier, createdAt } = account
  const inserted = await db.execute(sql`
    insert into account (id, email, name, password_hash, roles, tier, created_at)
    values (${id}, ${email}, ${name}, ${passwordHash ?? null}, ${roles}, ${tier}, ${createdAt})
    on conflict (email) do nothing`)
  return inserted === 1
}

/** The account with an address, if one gets in there by a password, and what that is compared with. */
export function accountByEmail(db: Session, email: string): Promise<(Account & PasswordOf) | undefined> {
  return db.maybe(sql`
    select id, email, name, roles, tier, created_at as "createdAt", password_hash as "passwordHash"
    from account where email = ${email} and password_hash is not null`)
}

/** The account with an id. */
export function accountById(db: Session, id: string): Promise<Account | undefined> {
  return db.maybe(sql`
    select id, email, name, roles, tier, created_at as "createdAt" from account where id = ${id}`)
}

/**
 * Holds an account until `tx` ends, so that nobody is logged in by a password that is being changed, or while being blocked. Undefined:
 * the account is gone, or has another password by now.
 *
 * @param passwordHash that of the password that was shown; absent: none was
 */
export function holdAccount(
  tx: Pick<Session, 'maybe'>,
  id: string,
  passwordHash?: string,
): Promise<{ readonly isBlocked: boolean } | undefined> {
  return tx.maybe(sql`
    select blocked_at is not null as "isBlocked" from account
    where id = ${id} and password_hash is not distinct from ${passwordHash ?? sql`password_hash`} for share`)
}

/** Changes a password that still is what it was; false otherwise, and for somebody who is blocked. */
export async function changePasswordHash(
  db: Pick<Session, 'execute'>,
  id: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<boolean> {
  const changed = await db.execute(sql`
    update account set password_hash = ${to}
    where id = ${id} and password_hash = ${from} and blocked_at is null`)
  return changed === 1
}

/** Blocks an account, or lets it in again; false when there is none. */
export async function setBlocked(
  db: Pick<Session, 'execute'>,
  id: string,
  isBlocked: boolean,
): Promise<boolean> {
  const changed = await db.execute(sql`
    update account set blocked_at = case when ${isBlocked} then coalesce(blocked_at, now()) end where id = ${id}`)
  return changed === 1
}
