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

/** The form in which an address is stored and compared. */
export function canonicalEmail(email: string): string {
  return email.toLowerCase()
}

/** Opens an account; false when its address is taken, also by somebody who registers at this moment. */
export async function insertAccount(
  db: Pick<Session, 'execute'>,
  account: Account,
  passwordHash: string,
): Promise<boolean> {
  const { id, email, name, roles, tier, createdAt } = account
  const inserted = await db.execute(sql`
    insert into account (id, email, name, password_hash, roles, tier, created_at)
    values (${id}, ${email}, ${name}, ${passwordHash}, ${roles}, ${tier}, ${createdAt})
    on conflict (email) do nothing`)
  return inserted === 1
}

/** The account with an address, and what its password is compared with. */
export function accountByEmail(
  db: Session,
  email: string,
): Promise<(Account & { readonly passwordHash: string }) | undefined> {
  return db.maybe(sql`
    select id, email, name, roles, tier, created_at as "createdAt", password_hash as "passwordHash"
    from account where email = ${email}`)
}

/** The account with an id. */
export function accountById(db: Session, id: string): Promise<Account | undefined> {
  return db.maybe(sql`
    select id, email, name, roles, tier, created_at as "createdAt" from account where id = ${id}`)
}
