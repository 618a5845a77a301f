/**
 * SQL of what is there; `movements.ts` has that of how it changes.
 *
 * @module
 */
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import type { Stock } from '../contracts/inventory.ts'

/** The stock of one SKU; undefined when nothing is known of it. */
export function findStock(db: Session, sku: string): Promise<Stock | undefined> {
  return db.maybe<Stock>(sql`
    select sku, on_hand as "onHand", reserved, available, version from stock where sku = ${sku}`)
}

/** As `findStock`; nobody else changes it before the transaction ends. */
export function lockStock(tx: Transaction, sku: string): Promise<Stock | undefined> {
  return tx.maybe<Stock>(sql`
    select sku, on_hand as "onHand", reserved, available, version from stock where sku = ${sku} for update`)
}

/** What can be sold of each of `skus`; unknown ones are left out. */
export function findAvailable(
  db: Session | Transaction,
  skus: readonly string[],
): Promise<{ sku: string; available: number }[]> {
  return db.many(sql`
    select sku, available from stock where sku = any(${skus}::text[]) order by sku`)
}

/**
 * Books the first count of each SKU that was never counted, in one statement; gives those.
 *
 * @param actor a user's id, or 'seed'.
 */
export function createStock(
  tx: Transaction,
  counts: readonly { readonly sku: string; readonly onHand: number }[],
  actor: string,
): Promise<Stock[]> {
  return tx.many<Stock>(sql`
    with created as (
      insert into stock (sku, on_hand, version)
      select sku, on_hand, 1
      from unnest(${counts.map(({ sku }) => sku)}::text[], ${counts.map(({ onHand }) => onHand)}::integer[])
        as counted (sku, on_hand)
      on conflict (sku) do nothing
      returning *
    ), booked as (
      insert into movement (sku, version, kind, on_hand_delta, reserved_delta, actor)
      select sku, version, 'count', on_hand, 0, ${actor} from created
    )
    select sku, on_hand as "onHand", reserved, available, version from created`)
}
