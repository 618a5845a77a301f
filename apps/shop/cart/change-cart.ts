/**
 * Changing a cart: under its lock, from the version that is meant, within the limits, with one more version than before.
 *
 * A change that changes nothing is quiet: no version, no new thirty days. It is quiet too when it names the version
 * before: the platform repeats commands when an answer was lost on the way, and who finds everything as wanted need
 * not be told that it changed.
 *
 * @source RFC 9110, section 13.1.1: If-Match, on a change that appears to have been applied already
 * @module
 */
import type { FlotillaError } from '@flotilla/core/error'
import type { OperationContext } from '@flotilla/core/service'
import type { Cart } from '../contracts/cart.ts'
import type { staleVersion } from '../contracts/versioning.ts'
import { findCart, lockCart, type StoredCart, saveCart } from './cart-store.ts'
import { type Offers, viewOf } from './cart-view.ts'

/** What is in a cart. */
export type Contents = Pick<StoredCart, 'lines' | 'coupon'>

/** A change. */
export interface Change {
  /** The version it is meant for. Absent: whatever is there. */
  readonly version: number | undefined
  /** Read before: a transaction does not wait for another service. */
  readonly offers: Offers
  /** The contents as they shall be, lines that stay being the same objects. May be asked again. */
  readonly apply: (contents: Contents) => Contents
  /** What speaks against the cart as it would be. Absent: nothing can. */
  readonly refusal?: (cart: Cart) => FlotillaError | undefined
}

/** Makes the change and gives the cart as it is then. */
export function changeCart(ctx: OperationContext<typeof staleVersion>, change: Change): Promise<Cart> {
  const { version, offers, apply, refusal } = change
  return ctx.commit(async (tx) => {
    const userId = ctx.user.id
    const nowMs = ctx.clock.now()
    lockCart(tx, userId)
    const cart = await findCart(tx, userId, nowMs)
    const { lines, coupon } = apply(cart)
    const changed = lines.filter((line) => !cart.lines.includes(line))
    const isSame = changed.length === 0 && lines.length === cart.lines.length && coupon === cart.coupon
    const isMeant = version === undefined || version === cart.version
    if (!isMeant && !(isSame && version === cart.version - 1)) throw ctx.fail('stale_version')
    if (isSame) return viewOf(cart, offers)
    const next = { id: cart.id ?? ctx.newId(), version: cart.version + 1, updatedAtMs: nowMs, lines, coupon }
    const view = viewOf(next, offers)
    const refused = refusal?.(view)
    if (refused !== undefined) throw refused
    saveCart(tx, userId, next, changed)
    if (cart.lines.length === 0 && lines.length > 0) {
      const begun = ctx.metrics.counter('shop_carts_begun_business_total', 'Carts begun.', ['unit'])
      tx.afterCommit(() => begun.with('carts').add())
    }
    return view
  })
}
