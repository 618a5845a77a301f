/**
 * Attempts and operations in the database.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import type { Queries } from '@flotilla/core/queries'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import { type Attempt, type Operation, transitions } from './attempt.ts'

const attemptColumns = sql`
  a.id, a.state, order_id as "orderId", user_id as "userId", payment_token as "paymentToken", a.amount, currency,
  is_void_wanted as "isVoidWanted", charge_id as "chargeId", decline_code as "declineCode", brand, last4, expiry,
  authorised, capturing, captured, refunding, refunded, version`

/** An attempt, and whether a request about it is without an answer. */
export type AttemptSeen = Attempt & { readonly isUnknown: boolean }

/** The attempt as it stands; undefined when there is none. */
export function findAttempt(db: Queries, id: string): Promise<AttemptSeen | undefined> {
  return db.maybe<AttemptSeen>(sql`
    select ${attemptColumns},
      exists (select from operation o where attempt_id = a.id and o.state = 'pending' and is_unknown) as "isUnknown"
    from attempt a where id = ${id}`)
}

/** As `findAttempt`; nobody else changes it before the transaction ends. */
export function lockAttempt(tx: Transaction, id: string): Promise<Attempt | undefined> {
  return tx.maybe<Attempt>(sql`select ${attemptColumns} from attempt a where id = ${id} for update`)
}

/** An attempt that is to be authorised. */
export type NewAttempt = Readonly<
  Record<'id' | 'orderId' | 'userId' | 'paymentToken' | 'currency', string>
> & { readonly amount: number }

/** False when there is one of that id. */
export async function createAttempt(tx: Transaction, attempt: NewAttempt): Promise<boolean> {
  const { id, orderId, userId, paymentToken, amount, currency } = attempt
  const created = await tx.execute(sql`
    insert into attempt (id, state, order_id, user_id, payment_token, amount, currency)
    values (${id}, 'authorising', ${orderId}, ${userId}, ${paymentToken}, ${amount}, ${currency})
    on conflict (id) do nothing`)
  return created === 1
}

/** Voids an attempt that was never made; false when there is one of that id. */
export async function createTombstone(tx: Transaction, id: string): Promise<boolean> {
  const created = await tx.execute(sql`
    insert into attempt (id, state) values (${id}, 'voided') on conflict (id) do nothing`)
  return created === 1
}

/**
 * Changes `attempt`, if it is still the version that was read; false otherwise.
 *
 * @throws FlotillaError `internal` when there is no way from its state to that of `change`.
 */
export async function changeAttempt(
  tx: Transaction,
  attempt: Attempt,
  change: Partial<Omit<Attempt, 'id' | 'version'>>,
): Promise<boolean> {
  const { id, version, state } = attempt
  const next = { ...attempt, ...change }
  if (next.state !== state && !transitions[state].includes(next.state)) {
    throw new FlotillaError('internal', `There is no way from ${state} to ${next.state}.`)
  }
  // All that can change: one statement for every change, which the server knows by name.
  const changed = await tx.execute(sql`
    update attempt set version = version + 1, updated_at = now(), state = ${next.state},
      is_void_wanted = ${next.isVoidWanted}, charge_id = ${next.chargeId}, decline_code = ${next.declineCode},
      brand = ${next.brand}, last4 = ${next.last4}, expiry = ${next.expiry}, authorised = ${next.authorised},
      capturing = ${next.capturing}, captured = ${next.captured}, refunding = ${next.refunding},
      refunded = ${next.refunded}
    where id = ${id} and version = ${version}`)
  return changed === 1
}

const operationColumns = sql`
  o.id, attempt_id as "attemptId", kind, refund_id as "refundId", o.amount, o.state, refusal`

/** The operation of that name; undefined when there is none. */
export function findOperation(db: Queries, id: string): Promise<Operation | undefined> {
  return db.maybe<Operation>(sql`select ${operationColumns} from operation o where id = ${id}`)
}

/** Operations of an attempt whose outcome is not known. */
export function findPending(db: Queries, attemptId: string): Promise<Operation[]> {
  return db.many<Operation>(sql`
    select ${operationColumns} from operation o
    where attempt_id = ${attemptId} and state = 'pending' order by created_at, id`)
}

/** How many refunds an attempt has, of whatever outcome. */
export async function countRefunds(db: Queries, attemptId: string): Promise<number> {
  const { count } = await db.one<{ count: number }>(sql`
    select count(*) from operation where attempt_id = ${attemptId} and kind = 'refund'`)
  return count
}

/** An operation together with what asking for it takes. */
export interface ClaimedOperation extends Operation {
  /** Tells this claim from others. */
  readonly tries: number
  readonly orderId: string
  readonly currency: string
  readonly paymentToken: string
  readonly chargeId: string | null
}

const claimedColumns = sql`
  ${operationColumns}, tries, order_id as "orderId", currency, payment_token as "paymentToken", charge_id as "chargeId"`

/** Writes down what is wanted; who wrote it has it claimed for `leaseMs`; at 0 it is for anybody at once. */
export function createOperation(
  tx: Transaction,
  operation: Pick<Operation, 'id' | 'attemptId' | 'kind' | 'amount'> & {
    readonly refundId?: string
    readonly reason?: string
  },
  leaseMs: number,
): Promise<ClaimedOperation> {
  const { id, attemptId, kind, amount, refundId = null, reason = null } = operation
  return tx.one<ClaimedOperation>(sql`
    with o as (
      insert into operation (id, attempt_id, kind, amount, refund_id, reason, tries, due_at)
      values (${id}, ${attemptId}, ${kind}, ${amount}, ${refundId}, ${reason}, ${leaseMs > 0 ? 1 : 0},
        now() + ${leaseMs} * interval '1 millisecond')
      returning *
    )
    select ${claimedColumns} from o join attempt a on a.id = attempt_id`)
}

/** Claims what is due for `leaseMs`; each is claimed by one at a time. */
export function claimDue(db: Queries, count: number, leaseMs: number): Promise<ClaimedOperation[]> {
  return db.many<ClaimedOperation>(sql`
    update operation o set tries = tries + 1, due_at = now() + ${leaseMs} * interval '1 millisecond'
    from attempt a
    where a.id = attempt_id and o.id = any(array(
      select id from operation where state = 'pending' and due_at <= now()
      order by due_at limit ${count} for update skip locked))
    returning ${claimedColumns}`)
}

/** Gives a claim up, the outcome being unknown; somebody tries again after `waitMs`. */
export async function postpone(db: Queries, { id, tries }: ClaimedOperation, waitMs: number): Promise<void> {
  await db.execute(sql`
    update operation set is_unknown = true, due_at = now() + ${waitMs} * interval '1 millisecond'
    where id = ${id} and tries = ${tries} and state = 'pending'`)
}

/** Writes down an outcome; false when somebody has before. */
export async function settleOperation(tx: Transaction, id: string, refusal: string | null): Promise<boolean> {
  const settled = await tx.execute(sql`
    update operation set state = ${refusal === null ? 'done' : 'refused'}, refusal = ${refusal},
      is_unknown = false, settled_at = now()
    where id = ${id} and state = 'pending'`)
  return settled === 1
}
