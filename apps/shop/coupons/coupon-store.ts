/**
 * SQL of coupons; `use-coupon.ts` has that of their uses. Codes are in upper case here, times are the database's.
 *
 * @module
 */
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import type { Benefit, Coupon } from '../contracts/coupons.ts'

/** The one spelling of a code. */
export function canonicalCode(code: string): string {
  return code.toUpperCase()
}

/** A coupon's benefit, as a column of that name. */
export const benefit = sql`case kind
  when 'percent' then json_build_object('kind', kind, 'percent', value)
  when 'fixed' then json_build_object('kind', kind, 'amount', value)
  else json_build_object('kind', kind) end as benefit`

/** Nobody else uses or ends it before the transaction ends; false when there is none. */
export async function lockCoupon(tx: Transaction, code: string): Promise<boolean> {
  return (await tx.execute(sql`select from coupon where code = ${code} for update`)) === 1
}

/** A coupon to be made. */
export interface NewCoupon extends Omit<Coupon, 'validFrom' | 'uses'> {
  /** Null: from now on. */
  readonly validFrom: string | null
}

const columns = sql`code, ${benefit}, minimum, currency, limit_total as "limitTotal",
  limit_per_customer as "limitPerCustomer", valid_from as "validFrom", valid_until as "validUntil", uses`

/** Makes a coupon; undefined when its code is taken. */
export function insertCoupon(queries: Session | Transaction, coupon: NewCoupon): Promise<Coupon | undefined> {
  const { code, minimum, currency, limitTotal, limitPerCustomer, validFrom, validUntil } = coupon
  return queries.maybe<Coupon>(sql`
    insert into coupon (code, kind, value, minimum, currency, limit_total, limit_per_customer, valid_from, valid_until)
    values (${code}, ${coupon.benefit.kind}, ${worthOf(coupon.benefit)}, ${minimum}, ${currency}, ${limitTotal},
      ${limitPerCustomer}, coalesce(${validFrom}, now()), ${validUntil})
    on conflict (code) do nothing
    returning ${columns}`)
}

/** At most `limit` coupons whose code comes after `code`, by code. */
export function listCoupons(db: Session, code: string, limit: number): Promise<Coupon[]> {
  return db.many<Coupon>(sql`
    select ${columns} from coupon where code collate "C" > ${code} order by code collate "C" limit ${limit}`)
}

/** Ends a coupon now, unless it has ended; false when there is none. One that has not begun never will. */
export async function endCoupon(tx: Transaction, code: string): Promise<boolean> {
  const ended = await tx.execute(sql`
    update coupon set valid_from = least(valid_from, now()), valid_until = least(valid_until, now())
    where code = ${code}`)
  return ended === 1
}

function worthOf(benefit: Benefit): number {
  switch (benefit.kind) {
    case 'percent':
      return benefit.percent
    case 'fixed':
      return benefit.amount
    case 'free_shipping':
      return 0
  }
}
