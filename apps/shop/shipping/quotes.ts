/**
 * Prices that were told: stored, so that an order gets the one its buyer saw, for half an hour by the database's clock.
 *
 * @module
 */
import type { Handlers } from '@flotilla/core/service'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { shipping } from '../contracts/shipping.ts'
import { type Method, priceParcel } from './rates.ts'

const HOLDS_S = 1_800
/** Expired ones stay so long, so that their owner hears that they expired and not that they never were. */
const KEPT_S = 86_400
const PRUNE_COUNT = 5_000

type Handler<K extends keyof Handlers<typeof shipping>> = Handlers<typeof shipping>[K]

/** Answers `quote`. */
export const quoteShipping: Handler<'quote'> = async ({ address, subtotal, weightG = 0 }, ctx) => {
  const offers = priceParcel({ country: address.country, subtotal, weightG })
  if (offers.length === 0) throw ctx.fail('no_rate')
  const rows = offers.map(({ method, price, days }) => ({
    id: ctx.newId(),
    method,
    price: price.amount,
    days_min: days.min,
    days_max: days.max,
  }))
  const stored = await ctx.db.many<{ id: string; expiresAt: string }>(sql`
    insert into quote (id, user_id, country, postcode, method, subtotal, price, currency, days_min, days_max, expires_at)
    select id, ${ctx.user.id}, ${address.country}, ${address.postcode}, method, ${subtotal.amount}, price,
      ${subtotal.currency}, days_min, days_max, now() + make_interval(secs => ${HOLDS_S})
    from jsonb_to_recordset(${sql.json(rows)})
      as offer (id text, method text, price integer, days_min integer, days_max integer)
    returning id, expires_at as "expiresAt"`)
  const expiries = new Map(stored.map(({ id, expiresAt }) => [id, expiresAt]))
  return {
    quotes: offers.map(({ method, price, days }, index) => {
      const id = rows[index]?.id ?? ''
      return { id, method, price, days, expiresAt: expiries.get(id) ?? '' }
    }),
  }
}

/** Answers `cheapest`. */
export const findCheapest: Handler<'cheapest'> = async ({ country, subtotal }, ctx) => {
  const prices = priceParcel({ country, subtotal, weightG: 0 }).map(({ price }) => price)
  const [price] = prices.toSorted((a, b) => a.amount - b.amount)
  if (price === undefined) throw ctx.fail('no_rate')
  return { price }
}

interface QuoteRow {
  readonly id: string
  readonly userId: string
  readonly country: string
  readonly postcode: string
  readonly method: Method
  readonly subtotal: number
  readonly price: number
  readonly currency: string
  readonly min: number
  readonly max: number
  readonly expiresAt: string
  readonly isExpired: boolean
}

/** Answers `quoted`. */
export const findQuote: Handler<'quoted'> = async ({ quoteId }, ctx) => {
  const row = await ctx.db.maybe<QuoteRow>(sql`
    select id, user_id as "userId", country, postcode, method, subtotal, price, currency, days_min as min, days_max as max,
      expires_at as "expiresAt", expires_at <= now() as "isExpired"
    from quote where id = ${quoteId}`)
  if (row === undefined) throw ctx.fail('no_quote')
  const { currency, min, max, isExpired, ...quote } = row
  if (isExpired) throw ctx.fail('quote_expired')
  const price = { amount: row.price, currency }
  return { ...quote, price, subtotal: { amount: row.subtotal, currency }, days: { min, max } }
}

/** Deletes what expired long ago, a batch a turn. */
export async function pruneQuotes(db: Session): Promise<void> {
  await db.execute(sql`
    delete from quote where id = any(array(
      select id from quote where expires_at < now() - make_interval(secs => ${KEPT_S}) limit ${PRUNE_COUNT}))`)
}
