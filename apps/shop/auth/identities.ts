/**
 * Who somebody is at an identity provider, in the database.
 *
 * @module
 */
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { Account } from './accounts.ts'

/** A name that is nobody else's: that of the issuer, and the one it has for somebody. */
export interface Identity {
  readonly issuer: string
  readonly subject: string
}

/** The account of somebody who came before. */
export function accountOf(db: Session, { issuer, subject }: Identity): Promise<Account | undefined> {
  return db.maybe(sql`
    select account.id, email, name, roles, tier, account.created_at as "createdAt"
    from identity join account on account.id = account_id
    where issuer = ${issuer} and subject = ${subject}`)
}

/** Remembers whose account it is. */
export async function insertIdentity(
  db: Pick<Session, 'execute'>,
  { issuer, subject }: Identity,
  accountId: string,
): Promise<void> {
  await db.execute(sql`
    insert into identity (issuer, subject, account_id) values (${issuer}, ${subject}, ${accountId})`)
}
