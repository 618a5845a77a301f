/**
 * A cart as its owner sees it: what is kept, at the prices of the moment.
 *
 * Amounts of different currencies are never added. A cart has the currency of the first of its lines that can be bought;
 * a line in another one cannot be bought along with it and does not count.
 *
 * @module
 */
import { isoTime } from '@flotilla/core/clock'
import type { Cart } from '../contracts/cart.ts'
import { expiryMs, type StoredCart, type StoredLine } from './cart-store.ts'
import type { PriceList } from './price-list.ts'

/** The currency of a cart without lines: the shop's own. */
const SHOP_CURRENCY = 'EUR'
/** In place of an id, for a cart that is not there. */
const NO_CART = 'none'

type Line = Cart['lines'][number]

/** `cart` at `prices`. A line that the catalog was not asked about has just been put in, at the price it is kept with. */
export function viewOf(cart: StoredCart, prices: PriceList): Cart {
  const priced = cart.lines.map((line) => priceLine(line, prices))
  const first = priced.find(({ isAvailable }) => isAvailable) ?? priced[0]
  const currency = first?.unitPrice.currency ?? SHOP_CURRENCY
  const lines = priced.map((line) => ({
    ...line,
    isAvailable: line.isAvailable && line.unitPrice.currency === currency,
  }))
  let items = 0
  let amount = 0
  for (const { quantity, lineTotal, isAvailable } of lines) {
    if (!isAvailable) continue
    items += quantity
    amount += lineTotal.amount
  }
  return {
    id: cart.id ?? NO_CART,
    lines,
    totals: { items, subtotal: { amount, currency } },
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
