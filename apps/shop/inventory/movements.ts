/**
 * Every change of stock, and the row that tells of it.
 *
 * `available` is looked at by the statement that takes from it, so there is no moment between looking and taking. Whoever
 * changes several SKUs in one transaction changes them in one and the same order: two transactions may wait for
 * each other, but never both at once. (Reservations are locked before stock, see `reservation-store.ts`.)
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import type { Context } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import { inventory, type Stock } from '../contracts/inventory.ts'
import { findAvailable } from './stock-store.ts'

/** One change of one SKU. */
export interface Movement {
  readonly sku: string
  readonly kind: 'count' | 'reservation' | 'release' | 'expiry' | 'sale' | 'cancellation'
  readonly onHandDelta: number
  readonly reservedDelta: number
  /** How many must be available before. Absent: none. */
  readonly needs?: number
  /** Absent: it has nothing to do with an order. */
  readonly orderId?: string
  /** A user's id or a service. */
  readonly actor: string
  readonly cause?: string
}

/** There is less of it than was needed. */
export interface Shortage {
  readonly sku: string
  readonly available: number
}

/** What became of movements. */
export interface Moved {
  /** As they are now, in the order of SKUs. */
  readonly stocks: readonly Stock[]
  /** Not empty: not all could be made, and the transaction is to be rolled back. */
  readonly shortages: readonly Shortage[]
}

/**
 * Makes all `movements`, or tells which of them there is too little for.
 *
 * @throws FlotillaError `internal` when a SKU is missing that nothing was needed of.
 */
export async function moveStock(
  ctx: Context,
  tx: Transaction,
  movements: readonly Movement[],
): Promise<Moved> {
  const sorted = movements.toSorted((a, b) => (a.sku < b.sku ? -1 : Number(a.sku > b.sku)))
  const stocks: Stock[] = []
  for (const [index, movement] of sorted.entries()) {
    const stock = await bookMovement(tx, movement)
    if (stock === undefined) return { stocks, shortages: await shortagesOf(tx, sorted.slice(index)) }
    await tellStock(ctx, tx, stock)
    stocks.push(stock)
  }
  return { stocks, shortages: [] }
}

/** Makes one movement and books it; undefined when there is too little. */
function bookMovement(tx: Transaction, movement: Movement): Promise<Stock | undefined> {
  const { sku, kind, onHandDelta, reservedDelta, needs = 0, orderId = null, actor, cause = null } = movement
  return tx.maybe<Stock>(sql`
    with moved as (
      update stock set on_hand = on_hand + ${onHandDelta}, reserved = reserved + ${reservedDelta}, version = version + 1
      where sku = ${sku} and available >= ${needs}
      returning *
    ), booked as (
      insert into movement (sku, version, kind, on_hand_delta, reserved_delta, order_id, actor, cause)
      select sku, version, ${kind}, ${onHandDelta}, ${reservedDelta}, ${orderId}, ${actor}, ${cause} from moved
    )
    select sku, on_hand as "onHand", reserved, available, version from moved`)
}

/** The first of `movements` could not be made; the others have not been tried. */
async function shortagesOf(tx: Transaction, movements: readonly Movement[]): Promise<readonly Shortage[]> {
  const skus = movements.map(({ sku }) => sku)
  const known = new Map((await findAvailable(tx, skus)).map(({ sku, available }) => [sku, available]))
  const [first] = movements
  if (!first?.needs) throw new FlotillaError('internal', `Nothing is known of the stock of ${first?.sku}.`)
  return movements
    .map((movement) => ({ movement, available: known.get(movement.sku) ?? 0 }))
    .filter(({ movement, available }) => movement === first || available < (movement.needs ?? 0))
    .map(({ movement, available }) => ({ sku: movement.sku, available }))
}

/** Tells everybody, in the transaction of the change. */
export async function tellStock(ctx: Context, tx: Transaction, stock: Stock): Promise<void> {
  await ctx.publish(tx, inventory.events.stockChanged, stock)
}
