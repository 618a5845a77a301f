/**
 * All SQL of mails.
 *
 * A mail is claimed by moving its due time beyond the time the claimer has, and by counting its claims up. Who
 * claimed it says how it ended only while that count is still theirs: one that was paused for longer than its time
 * finds another's count and changes nothing. No row is locked while a mail server is spoken to.
 *
 * @module
 */
import { derivedId } from '@flotilla/core/ids'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'

/** Waits after failures double up to a minute; after the last of so many attempts, about ten minutes in, a mail is dead. */
export const ATTEMPTS_MAX = 16
const PAUSE_S = 0.25
const PAUSE_S_MAX = 60
const ERROR_CHARS_MAX = 500

/** What is to be told to whom. */
export interface Mail {
  readonly orderId: string
  readonly template: string
  /** The refund or shipment it tells of; absent: the order. */
  readonly about?: string
  readonly userId: string
  readonly recipient: string
  readonly subject: string
  readonly body: string
}

/** A mail in the hands of who sends it. */
export interface ClaimedMail extends Pick<Mail, 'orderId' | 'template' | 'recipient' | 'subject' | 'body'> {
  readonly id: string
  /** This claim, from 1: what only its claimer knows. */
  readonly claims: number
  /** Including this one, since the mail was noted or revived. */
  readonly attempts: number
  /** When it was noted, as RFC 5322 writes it. */
  readonly date: string
}

/** Notes a mail; nothing when one was noted for this order, template and occasion. */
export function noteMail(tx: Transaction, mail: Mail): void {
  const { orderId, template, about = orderId, userId, recipient, subject, body } = mail
  tx.send(sql`
    insert into mail (id, order_id, template, about, user_id, recipient, subject, body)
    values (${derivedId('mail', JSON.stringify([orderId, template, about]))}, ${orderId}, ${template}, ${about}, ${userId},
      ${recipient}, ${subject}, ${body})
    on conflict do nothing`)
}

/** Claims up to `count` mails that are due, for `leaseS` seconds. */
export function claimMails(db: Session, count: number, leaseS: number): Promise<ClaimedMail[]> {
  return db.many<ClaimedMail>(sql`
    update mail set attempts = attempts + 1, claims = claims + 1, due_at = now() + make_interval(secs => ${leaseS})
    where status = 'pending' and id = any(array(
      select id from mail where status = 'pending' and due_at <= now()
      order by due_at limit ${count} for update skip locked))
    returning id, order_id as "orderId", template, recipient, subject, body, claims, attempts,
      to_char(created_at, 'Dy, DD Mon YYYY HH24:MI:SS') || ' +0000' as date`)
}

/** Books that the mail server has taken it; false: somebody else has it in hand by now. */
export async function bookSent(db: Session, { id, claims }: ClaimedMail): Promise<boolean> {
  const booked = await db.execute(sql`
    update mail set status = 'sent', sent_at = now(), last_error = null
    where id = ${id} and claims = ${claims} and status = 'pending'`)
  return booked > 0
}

/** Books a failure: tried again after a wait, or dead when it is final or the last. What became of it; undefined as above. */
export async function bookFailure(
  db: Session,
  { id, claims, attempts }: ClaimedMail,
  { message, isFinal }: { readonly message: string; readonly isFinal: boolean },
): Promise<'pending' | 'dead' | undefined> {
  const pauseS = Math.min(PAUSE_S_MAX, PAUSE_S * 2 ** attempts)
  const row = await db.maybe<{ status: 'pending' | 'dead' }>(sql`
    update mail set last_error = ${message.slice(0, ERROR_CHARS_MAX)}, due_at = now() + make_interval(secs => ${pauseS}),
      status = case when ${isFinal || attempts >= ATTEMPTS_MAX} then 'dead' else 'pending' end
    where id = ${id} and claims = ${claims} and status = 'pending'
    returning status`)
  return row?.status
}

/** Has a dead mail tried again; false when there is none. */
export async function reviveMail(tx: Transaction, id: string): Promise<boolean> {
  const revived = await tx.execute(sql`
    update mail set status = 'pending', attempts = 0, due_at = now() where id = ${id} and status = 'dead'`)
  return revived > 0
}

/** A mail as its receiver sees it in the shop. */
export interface OwnMail {
  readonly id: string
  readonly orderId: string
  readonly template: string
  readonly subject: string
  readonly text: string
  readonly status: 'pending' | 'sent' | 'dead'
  readonly createdAt: string
  readonly sentAt: string | null
}

/** Mails of a user, the newest first, after a place in that order. */
export function findMails(
  db: Session,
  userId: string,
  after: readonly [createdAt: string, id: string] | undefined,
  limit: number,
): Promise<OwnMail[]> {
  return db.many<OwnMail>(sql`
    select id, order_id as "orderId", template, subject, body as text, status, created_at as "createdAt",
      sent_at as "sentAt"
    from mail where user_id = ${userId}
    ${after === undefined ? sql.empty : sql`and (created_at, id) < (${after[0]}, ${after[1]})`}
    order by created_at desc, id desc limit ${limit}`)
}

/** A mail that needs help. */
export interface DeadMail {
  readonly id: string
  readonly orderId: string
  readonly template: string
  readonly attempts: number
  readonly error: string
  readonly createdAt: string
}

/** Dead mails, the oldest first. */
export function findDead(db: Session, limit: number): Promise<DeadMail[]> {
  return db.many<DeadMail>(sql`
    select id, order_id as "orderId", template, attempts, coalesce(last_error, '') as error, created_at as "createdAt"
    from mail where status = 'dead' order by created_at, id limit ${limit}`)
}
