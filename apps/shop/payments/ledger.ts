/**
 * The shop's books about payments, by double entry.
 *
 * Accounts:
 * - `provider_clearing` (an asset): what the provider owes us: took from customers and has not paid out.
 * - `sales` (income): what customers paid.
 * - `refunds` (less income): what they got back.
 *
 * Postings: a capture debits `provider_clearing` and credits `sales`; a refund debits `refunds` and credits `provider_clearing`. An
 * authorisation is none: money that is held has not moved. So the balance of `provider_clearing` is what was captured less what
 * was refunded, and equals what the provider's own ledger says.
 *
 * A transaction bears its operation's name, and an account occurs in it once, so nothing can be posted twice. The database
 * refuses a transaction that does not balance, and every change of what is posted.
 *
 * @module
 */
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import type { Attempt, Operation } from './attempt.ts'

const accounts = {
  capture: { debit: 'provider_clearing', credit: 'sales' },
  refund: { debit: 'refunds', credit: 'provider_clearing' },
} as const

/** Posts an operation that was done; those that move no money are none. */
export function post(tx: Transaction, attempt: Attempt, { id, kind, amount }: Operation): void {
  if (kind !== 'capture' && kind !== 'refund') return
  const { debit, credit } = accounts[kind]
  tx.send(sql`
    insert into ledger_entry (transaction_id, account, attempt_id, order_id, debit, credit, currency)
    values (${id}, ${debit}, ${attempt.id}, ${attempt.orderId}, ${amount}, 0, ${attempt.currency}),
      (${id}, ${credit}, ${attempt.id}, ${attempt.orderId}, 0, ${amount}, ${attempt.currency})`)
}
