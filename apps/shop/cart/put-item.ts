/**
 * Putting something into a cart, in addition to what is there of it or in place of it.
 *
 * @module
 */
import type { FlotillaError } from '@flotilla/core/error'
import type { Handlers } from '@flotilla/core/service'
import { type Cart, type cart, QUANTITY_MAX } from '../contracts/cart.ts'
import { findCart, type StoredLine } from './cart-store.ts'
import { changeCart } from './change-cart.ts'
import { readTermsIfThere } from './coupon-terms.ts'
import { type Offer, readPrices } from './price-list.ts'

const LINES_MAX = 50

type Add = Handlers<typeof cart>['addItem']
type PutContext = Parameters<Add>[1]

/** What is to be put in. */
export interface Put {
  readonly sku: string
  readonly version?: number
  /** How many it shall be, from how many there are. */
  readonly quantityOf: (present: number) => number
}

/** Puts it in and gives the cart. */
export async function putItem(ctx: PutContext, { sku, version, quantityOf }: Put): Promise<Cart> {
  const { lines, coupon } = await findCart(ctx.db, ctx.user.id, ctx.clock.now())
  const [prices, terms] = await Promise.all([
    readPrices(ctx, [...lines.map((line) => line.sku), sku]),
    readTermsIfThere(ctx, coupon),
  ])
  const offer = prices.get(sku)
  if (!offer) throw ctx.fail('no_product')
  return changeCart(ctx, {
    version,
    offers: { prices, terms },
    apply: (present) => ({ ...present, lines: withOffer(present.lines, offer, quantityOf) }),
    refusal: (next) => refusalOf(ctx, next, sku),
  })
}

/** `lines` with the quantity of one changed, or with one more at the end. */
function withOffer(
  lines: readonly StoredLine[],
  { sku, id: productId, name, price: unitPrice }: Offer,
  quantityOf: (present: number) => number,
): readonly StoredLine[] {
  const present = lines.find((line) => line.sku === sku)
  const quantity = quantityOf(present?.quantity ?? 0)
  if (present?.quantity === quantity) return lines
  const line = { sku, quantity, productId, name, unitPrice }
  return present === undefined ? [...lines, line] : lines.map((one) => (one === present ? line : one))
}

function refusalOf(ctx: PutContext, { lines }: Cart, sku: string): FlotillaError | undefined {
  const line = lines.find((one) => one.sku === sku)
  if (lines.length > LINES_MAX || (line?.quantity ?? 0) > QUANTITY_MAX) return ctx.fail('too_many')
  // The product is there, so it can only be its currency that keeps the line from counting.
  return line?.isAvailable ? undefined : ctx.fail('other_currency')
}
