/**
 * Coupons as an admin makes, lists and ends them.
 *
 * @module
 */
import { parseIsoTime } from '@flotilla/core/clock'
import { Type } from '@flotilla/core/schema'
import type { Handlers } from '@flotilla/core/service'
import type { coupons } from '../contracts/coupons.ts'
import { readCursor, writeCursor } from '../contracts/cursor.ts'
import { canonicalCode, insertCoupon, listCoupons } from './coupon-store.ts'

const LIST = ['coupons']
const Position = Type.Tuple([Type.String({ maxLength: 40 })])
const LIMIT = 20

/** Handles `coupons.createCoupon`. */
export const createCoupon: Handlers<typeof coupons>['createCoupon'] = (input, ctx) => {
  const { benefit, minimum = 0, currency = null, validFrom = null, validUntil = null } = input
  if (currency === null && (benefit.kind === 'fixed' || minimum > 0)) throw ctx.fail('no_currency')
  const fromMs = validFrom === null ? ctx.clock.now() : parseIsoTime(validFrom)
  if (validUntil !== null && parseIsoTime(validUntil) <= fromMs) throw ctx.fail('no_time')
  return ctx.commit(async (tx) => {
    const { limitTotal = null, limitPerCustomer = null } = input
    const code = canonicalCode(input.code)
    const limits = { limitTotal, limitPerCustomer }
    const coupon = await insertCoupon(tx, {
      code,
      benefit,
      minimum,
      currency,
      ...limits,
      validFrom,
      validUntil,
    })
    if (coupon === undefined) throw ctx.fail('code_taken')
    return coupon
  })
}

/** Handles `coupons.coupons`. */
export const list: Handlers<typeof coupons>['coupons'] = async ({ limit = LIMIT, cursor }, ctx) => {
  const [after] = cursor === undefined ? [''] : (readCursor(LIST, Position, cursor) ?? [])
  if (after === undefined) throw ctx.fail('bad_cursor')
  const found = await listCoupons(ctx.db, after, limit + 1)
  const items = found.slice(0, limit)
  const last = items.at(-1)
  const nextCursor = found.length > limit && last !== undefined ? writeCursor(LIST, [last.code]) : null
  return { items, nextCursor }
}
