/**
 * Choosing what to recommend. Everything is read from a bounded piece of the past, so that a shop with a long history
 * answers as fast as a new one.
 *
 * @module
 */
import type { Money } from '@flotilla/core/schema'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'

/** Of a user, the newest purchases that say something about their taste. */
const OWN_COUNT = 30
/** Of each of those products, the newest purchases by anybody. */
const ALIKE_COUNT = 100
/** The newest purchases, which say what sells. */
const RECENT_COUNT = 5_000

/** A product to recommend. */
export interface Recommendation {
  readonly productId: string
  readonly sku: string
  readonly name: string
  readonly price: Money
}

const shown = sql`
  product_id as "productId", sku, name, json_build_object('amount', price, 'currency', currency) as price`

/**
 * For a user who has bought something: first what was bought together with what they bought, most often first, then what sells
 * best in categories they bought from. Never what they have bought.
 */
export function choosePersonal(db: Session, userId: string, limit: number): Promise<Recommendation[]> {
  return db.many<Recommendation>(sql`
    with own as (
      select product_id from purchase
      where user_id = ${userId} and not exists (select from cancelled_order where order_id = purchase.order_id)
      order by bought_at desc limit ${OWN_COUNT}
    ), taste as (
      select distinct product_id from own
    ), alike as (
      select distinct newest.order_id from taste, lateral (
        select order_id from purchase
        where product_id = taste.product_id and user_id <> ${userId}
          and not exists (select from cancelled_order where order_id = purchase.order_id)
        order by bought_at desc limit ${ALIKE_COUNT}
      ) newest
    ), together as (
      select product_id, count(*) as times from alike join purchase using (order_id) group by product_id
    ), sold as (
      select product_id, count(*) as times from (
        select product_id from purchase
        where not exists (select from cancelled_order where order_id = purchase.order_id)
        order by bought_at desc limit ${RECENT_COUNT}
      ) recent group by product_id
    )
    select ${shown}
    from product left join together using (product_id) left join sold using (product_id)
    where is_shown and product_id not in (
        select product_id from purchase
        where user_id = ${userId} and not exists (select from cancelled_order where order_id = purchase.order_id))
      and (together.times is not null or category in (
        select category from taste join product using (product_id) where category is not null))
    order by coalesce(together.times, 0) desc, coalesce(sold.times, 0) desc, product_id limit ${limit}`)
}

/** For everybody: what sold most often of late. */
export function choosePopular(db: Session, limit: number): Promise<Recommendation[]> {
  return db.many<Recommendation>(sql`
    with sold as (
      select product_id, count(*) as times from (
        select product_id from purchase
        where not exists (select from cancelled_order where order_id = purchase.order_id)
        order by bought_at desc limit ${RECENT_COUNT}
      ) recent group by product_id
    )
    select ${shown} from product join sold using (product_id)
    where is_shown order by sold.times desc, product_id limit ${limit}`)
}
