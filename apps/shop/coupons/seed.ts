/**
 * The first coupons: one of each kind.
 *
 * @module
 */
import type { Context } from '@flotilla/core/service'
import { insertCoupon, type NewCoupon } from './coupon-store.ts'

const always = {
  minimum: 0,
  currency: null,
  limitTotal: null,
  limitPerCustomer: null,
  validFrom: '2020-01-01T00:00:00.000Z',
  validUntil: null,
}

const COUPONS: readonly NewCoupon[] = [
  { ...always, code: 'SAVE10', benefit: { kind: 'percent', percent: 10 } },
  {
    ...always,
    code: 'WELCOME5',
    benefit: { kind: 'fixed', amount: 500 },
    minimum: 2_500,
    currency: 'EUR',
    limitPerCustomer: 1,
  },
  { ...always, code: 'FREESHIP', benefit: { kind: 'free_shipping' } },
  { ...always, code: 'ONLYONE', benefit: { kind: 'percent', percent: 50 }, limitTotal: 1 },
  {
    ...always,
    code: 'SPRING20',
    benefit: { kind: 'percent', percent: 20 },
    validUntil: '2020-06-01T00:00:00.000Z',
  },
]

/** Makes those that do not exist yet. */
export async function seedCoupons({ db }: Pick<Context, 'db'>): Promise<void> {
  for (const coupon of COUPONS) await insertCoupon(db, coupon)
}
