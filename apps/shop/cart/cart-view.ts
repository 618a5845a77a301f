/**
 * A cart as its owner sees it: what is kept, at the prices of the moment, less what the coupon takes off at that moment.
 *
 * Amounts of different currencies are never added. A cart has the currency of the first of its lines that can be bought;
 * a line in another one cannot be bought along with it and does not count.
 *
 * @module
 */
import { isoTime } from '@flotilla/core/clock'
import type { Money } from '@flotilla/core/schema'
import type { Cart } from '../contracts/cart.ts'
import { refusals } from '../contracts/coupons.ts'
import { discountOf } from '../contracts/discount.ts'
import { addMoney } from '../contracts/money.ts'
import { expiryMs, type StoredCart, type StoredLine } from './cart-store.ts'
import type { CouponTerms } from './coupon-terms.ts'
import type { PriceList } from './price-list.ts'

/** The currency of a cart without lines: the shop's own. */
const SHOP_CURRENCY = 'EUR'
/** In place of an id, for a cart that is not there. */
const NO_CART = 'none'

type Line = Cart['lines'][number]

/** The words for a coupon that nothing is known of at this moment. */
const UNKNOWN = 'Whether this coupon holds cannot be told at the moment'

/** What others say about a cart at one moment. */
export interface Offers {
  readonly prices: PriceList
  /** Undefined: there is no coupon, or nothing is known of it. */
  readonly terms: CouponTerms | undefined
}

/**
 * `cart` at `prices`. A line that the catalog was not asked about has just been put in, at the price it is kept with.
 * A coupon that the coupons were not asked about takes nothing off.
 */
export function viewOf(cart: StoredCart, { prices, terms }: Offers): Cart {
  const priced = cart.lines.map((line) => priceLine(line, prices))
  const first = priced.find(({ isAvailable }) => isAvailable) ?? priced[0]
  const currency = first?.unitPrice.currency ?? SHOP_CURRENCY
  const lines = priced.map((line) => ({
    ...line,
    isAvailable: line.isAvailable && line.unitPrice.currency === currency,
  }))
  let items = 0
  let subtotal: Money = { amount: 0, currency }
  for (const { quantity, lineTotal, isAvailable } of lines) {
    if (!isAvailable) continue
    items += quantity
    subtotal = addMoney(subtotal, lineTotal)
  }
  const coupon = cart.coupon === undefined ? undefined : couponOf(cart.coupon, terms, subtotal)
  const discount = coupon?.discount ?? { amount: 0, currency }
  const total = { amount: subtotal.amount - discount.amount, currency }
  return {
    id: cart.id ?? NO_CART,
    lines,
    totals: { items, subtotal, discount, total },
    ...(coupon === undefined ? {} : { coupon }),
    version: cart.version,
    updatedAt: isoTime(cart.updatedAtMs),
    expiresAt: isoTime(expiryMs(cart.updatedAtMs)),
  }
}

function priceLine({ sku, quantity, ...kept }: StoredLine, prices: PriceList): Line {
  const offer = prices.get(sku)
  const { productId, name, unitPrice } = offer
    ? { productId: offer.id, name: offer.name, unitPrice: offer.price }
    : kept
  const lineTotal = { amount: unitPrice.amount * quantity, currency: unitPrice.currency }
  return { sku, productId, name, quantity, unitPrice, lineTotal, isAvailable: offer !== null }
}

/** What the coupon `code` does for `subtotal`. */
function couponOf(
  code: string,
  asked: CouponTerms | undefined,
  subtotal: Money,
): NonNullable<Cart['coupon']> {
  const nothing = { code, discount: { amount: 0, currency: subtotal.currency }, freeShipping: false }
  if (asked === undefined || asked.code !== code) return { ...nothing, note: UNKNOWN }
  if (asked.terms === undefined) return { ...nothing, note: refusals[asked.refusal].title }
  const worth = discountOf(asked.terms, subtotal)
  if (worth.refusal !== undefined) return { ...nothing, note: refusals[worth.refusal].title }
  return { code, discount: worth.discount, freeShipping: worth.freeShipping }
}
