/**
 * All SQL of the inventory.
 *
 * @module
 */
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import type { Stock } from '../contracts/inventory.ts'

/** A new count of one SKU. */
export interface Count {
  readonly sku: string
  readonly onHand: number
  /** A user's id. */
  readonly countedBy: string
  /** ISO 8601. */
  readonly countedAt: string
}

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
  db: Session,
  skus: readonly string[],
): Promise<{ sku: string; available: number }[]> {
  return db.many(sql`
    select sku, available from stock where sku = any(${skus}::text[]) order by sku`)
}

/** Books the first count of a SKU; undefined when it has been counted before. */
export function createStock(tx: Transaction, count: Count): Promise<Stock | undefined> {
  const { sku, onHand, countedBy, countedAt } = count
  return tx.maybe<Stock>(sql`
    with created as (
      insert into stock (sku, on_hand, version) values (${sku}, ${onHand}, 1)
      on conflict (sku) do nothing
      returning *
    ), booked as (
      insert into adjustment (sku, version, on_hand_before, on_hand_after, counted_by, counted_at)
      select sku, version, 0, on_hand, ${countedBy}, ${countedAt} from created
    )
    select sku, on_hand as "onHand", reserved, available, version from created`)
}

/** Books a further count of a SKU whose row the transaction has locked. */
export function adjustStock(tx: Transaction, count: Count, onHandBefore: number): Promise<Stock> {
  const { sku, onHand, countedBy, countedAt } = count
  return tx.one<Stock>(sql`
    with adjusted as (
      update stock set on_hand = ${onHand}, version = version + 1 where sku = ${sku}
      returning *
    ), booked as (
      insert into adjustment (sku, version, on_hand_before, on_hand_after, counted_by, counted_at)
      select sku, version, ${onHandBefore}, on_hand, ${countedBy}, ${countedAt} from adjusted
    )
    select sku, on_hand as "onHand", reserved, available, version from adjusted`)
}

/** Counts every SKU that was never counted, in one statement; the others stay as they are. */
export async function seedStock(
  db: Session,
  counts: readonly { readonly sku: string; readonly stock: number }[],
  countedAt: string,
): Promise<void> {
  await db.execute(sql`
    with created as (
      insert into stock (sku, on_hand, version)
      select sku, on_hand, 1
      from unnest(${counts.map(({ sku }) => sku)}::text[], ${counts.map(({ stock }) => stock)}::integer[])
        as counted (sku, on_hand)
      on conflict (sku) do nothing
      returning *
    )
    insert into adjustment (sku, version, on_hand_before, on_hand_after, counted_by, counted_at)
    select sku, version, 0, on_hand, 'seed', ${countedAt} from created`)
}
