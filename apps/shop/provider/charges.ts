/**
 * Charges: money held, taken, let go, given back.
 *
 * A charge is `authorised` (the money is held) or `declined`; held money is taken once, wholly or in part (`captured`), or let
 * go (`voided`); what was taken is given back in any number of refunds. Every one of these is a row of the ledger and a
 * webhook, written in the same transaction.
 *
 * @module
 */
import type { NewId } from '@flotilla/core/ids'
import type { Queries } from '@flotilla/core/queries'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import { findCard } from './cards.ts'
import { sendLater, type WebhookPlan } from './webhooks.ts'

/** One thing that happened to a charge. */
export interface Entry {
  /** The merchant's word for it. */
  readonly reference: string
  readonly kind: 'authorisation' | 'decline' | 'capture' | 'void' | 'refund'
  readonly amount: number
  readonly createdAt: string
}

/** A charge, as merchants see it. */
export interface Charge {
  readonly id: string
  readonly reference: string
  readonly status: 'authorised' | 'declined' | 'captured' | 'voided'
  readonly amount: number
  readonly currency: string
  readonly captured: number
  readonly refunded: number
  readonly declineCode: string | null
  readonly card: { readonly brand: string; readonly last4: string; readonly expiry: string }
  readonly createdAt: string
  /** All that happened, oldest first. */
  readonly entries: readonly Entry[]
}

/** What a request came to: the charge as it is now, and why not, if not. */
export interface Outcome {
  readonly status: number
  readonly refusal?: { readonly code: string; readonly message: string }
  readonly charge?: Charge | undefined
}

/** What writing takes. */
export interface Books {
  readonly tx: Transaction
  readonly newId: NewId
  /** When webhooks go out; undefined: there are none. */
  readonly webhooks: WebhookPlan | undefined
}

const ENTRIES_MAX = 200

/** Holds money. `reference` is the merchant's word for the charge and for this operation. */
export async function authorise(
  books: Books,
  {
    token,
    amount,
    currency,
    reference,
  }: Readonly<Record<'token' | 'currency' | 'reference', string>> & {
    readonly amount: number
  },
): Promise<Outcome> {
  const card = await findCard(books.tx, token)
  if (card === undefined) return refused(422, 'unknown_token', 'There is no such token.')
  const id = `ch_${books.newId()}`
  const status = card.isDeclined ? 'declined' : 'authorised'
  const declineCode = card.isDeclined ? 'card_declined' : null
  books.tx.send(sql`
    insert into charge (id, reference, status, amount, currency, brand, last4, expiry, decline_code)
    values (${id}, ${reference}, ${status}, ${amount}, ${currency}, ${card.brand}, ${card.last4}, ${card.expiry},
      ${declineCode})`)
  const kind = card.isDeclined ? 'decline' : 'authorisation'
  const charge = await record(books, id, kind, amount, reference)
  if (!card.isDeclined) return { status: 201, charge }
  return { ...refused(402, 'card_declined', 'The card was declined.'), charge }
}

/** Takes held money: once, and no more than was held. */
export async function capture(books: Books, id: string, amount: number, reference: string): Promise<Outcome> {
  const charge = await lockCharge(books.tx, id)
  if (charge === undefined) return refused(404, 'no_charge', 'There is no such charge.')
  if (charge.status !== 'authorised') return conflict(charge, 'not_capturable')
  if (amount > charge.amount) return conflict(charge, 'amount_too_high')
  books.tx.send(sql`update charge set status = 'captured', captured = ${amount} where id = ${id}`)
  return { status: 200, charge: await record(books, id, 'capture', amount, reference) }
}

/** Lets held money go. */
export async function letGo(books: Books, id: string, reference: string): Promise<Outcome> {
  const charge = await lockCharge(books.tx, id)
  if (charge === undefined) return refused(404, 'no_charge', 'There is no such charge.')
  if (charge.status !== 'authorised') return conflict(charge, 'not_voidable')
  books.tx.send(sql`update charge set status = 'voided' where id = ${id}`)
  return { status: 200, charge: await record(books, id, 'void', charge.amount, reference) }
}

/** Gives money back: never more, in all, than was taken. */
export async function refund(books: Books, id: string, amount: number, reference: string): Promise<Outcome> {
  const charge = await lockCharge(books.tx, id)
  if (charge === undefined) return refused(404, 'no_charge', 'There is no such charge.')
  if (charge.status !== 'captured') return conflict(charge, 'not_refundable')
  if (charge.refunded + amount > charge.captured) return conflict(charge, 'amount_too_high')
  if (charge.entries.length >= ENTRIES_MAX) return conflict(charge, 'too_many_refunds')
  books.tx.send(sql`update charge set refunded = refunded + ${amount} where id = ${id}`)
  return { status: 200, charge: await record(books, id, 'refund', amount, reference) }
}

function refused(status: number, code: string, message: string): Outcome {
  return { status, refusal: { code, message } }
}

function conflict(charge: Charge, code: string): Outcome {
  return { ...refused(409, code, `The charge is ${charge.status}.`), charge }
}

async function record(
  { tx, newId, webhooks }: Books,
  id: string,
  kind: Entry['kind'],
  amount: number,
  reference: string,
): Promise<Charge> {
  // Positions become visible in their order only if one writer at a time draws them and commits.
  tx.send(sql`select pg_advisory_xact_lock(1)`)
  tx.send(sql`
    insert into ledger (charge_id, reference, kind, amount, currency)
    select ${id}, ${reference}, ${kind}, ${amount}, currency from charge where id = ${id}`)
  const charge = (await findCharge(tx, id)) as Charge
  if (webhooks !== undefined) sendLater(tx, newId, webhooks, { type: `charge.${kind}`, charge })
  return charge
}

const columns = sql`
  c.id, c.reference, status, c.amount, c.currency, captured, refunded, decline_code as "declineCode",
  json_build_object('brand', brand, 'last4', last4, 'expiry', expiry) as card, c.created_at as "createdAt",
  (select json_agg(json_build_object('reference', l.reference, 'kind', kind, 'amount', l.amount, 'createdAt',
      to_char(l.created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by position)
    from ledger l where charge_id = c.id) as entries`

/** The charge with this id; undefined when there is none. */
export function findCharge(db: Queries, id: string): Promise<Charge | undefined> {
  return db.maybe<Charge>(sql`select ${columns} from charge c where id = ${id}`)
}

/** The charges that have an entry of this reference, oldest first; at most ten. */
export function findByReference(db: Queries, reference: string): Promise<Charge[]> {
  return db.many<Charge>(sql`
    select ${columns} from charge c
    where id in (select charge_id from ledger where reference = ${reference}) order by c.created_at, c.id limit 10`)
}

function lockCharge(tx: Transaction, id: string): Promise<Charge | undefined> {
  tx.send(sql`select from charge where id = ${id} for update`)
  // Read after the lock was had: entries that the one before wrote are to be seen.
  return findCharge(tx, id)
}

/** A row of the ledger. */
export interface LedgerRow extends Entry {
  readonly position: number
  readonly chargeId: string
  readonly chargeReference: string
  readonly currency: string
}

/** Rows after `position`, in order; at most `limit`. */
export function listLedger(db: Queries, position: number, limit: number): Promise<LedgerRow[]> {
  return db.many<LedgerRow>(sql`
    select position, charge_id as "chargeId", c.reference as "chargeReference", l.reference, kind, l.amount, l.currency,
      l.created_at as "createdAt"
    from ledger l join charge c on c.id = charge_id
    where position > ${position} order by position limit ${limit}`)
}
