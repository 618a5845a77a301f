/**
 * What customers and staff do while processes fail: each scenario brings one order to an end that is known beforehand,
 * whatever fails on the way.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { systemRandom as random } from '@flotilla/core/random'
import { sql } from '@flotilla/core/sql'
import type { Shopper } from '../shop-client.ts'
import { Careful, type Question, type Reply } from '../workload/careful.ts'
import type { CrashSystem } from './crash-system.ts'

/** The names. */
export const scenarios = [
  'buy',
  'decline',
  'abort',
  'cancel',
  'refund',
  'carry',
  'handOver',
  'expire',
  'park',
] as const

/** One of them. */
export type ScenarioName = (typeof scenarios)[number]

/** How an order must end. */
interface End {
  readonly status: string
  readonly payment: string
}

/** In which everything must have recovered. */
const RECOVERY_MS_MAX = 60_000
const LOOK_MS = 25
const ADDRESS = { name: 'Ann Example', line1: 'Street 1', postcode: '01234', city: 'Town', country: 'DE' }

/** Who does one thing after the other; several do so side by side. */
export class Actor {
  readonly #system: CrashSystem
  readonly #sku: string
  readonly #coupon: string
  readonly #shopper: Shopper
  readonly #admin: Shopper
  readonly #careful: Careful
  /** Of those whose first one was over. */
  readonly #tokens = new Map<string, string>()

  private constructor(system: CrashSystem, ordinal: number, shopper: Shopper, admin: Shopper) {
    this.#system = system
    this.#sku = `AUD-${String(ordinal).padStart(4, '0')}`
    this.#coupon = `LANE${ordinal}`
    this.#shopper = shopper
    this.#admin = admin
    this.#careful = new Careful(system.shop.api, system.journal)
  }

  /** Requests that had to be repeated. */
  get repeats(): number {
    return this.#careful.tally.repeats
  }

  /** A customer with an article and a coupon to himself. */
  static async open(system: CrashSystem, ordinal: number): Promise<Actor> {
    const { shop } = system
    const admin = await shop.login('admin@shop.test', system.adminPassword)
    const shopper = await shop.register(`lane${ordinal}`)
    const actor = new Actor(system, ordinal, shopper, admin)
    const count = {
      intent: 'stock',
      method: 'PUT',
      path: `/stock/${actor.#sku}`,
      body: { onHand: 100_000 },
    } as const
    await actor.#send(count, admin)
    await system.db('coupons').execute(sql`
      insert into coupon (code, kind, value, minimum, valid_from)
      values (${actor.#coupon}, 'percent', 10, 0, now() - interval '1 day')`)
    return actor
  }

  /** Plays a scenario to its end; gives the order. @throws Error when it does not end as it must. */
  async play(name: ScenarioName): Promise<string> {
    if (name === 'decline') return this.#buy('tok_declined', { status: 'rejected', payment: 'declined' })
    if (name === 'abort') return this.#abort()
    if (name === 'park') return this.#park()
    const order = name === 'expire' ? await this.#expire() : await this.#buy('tok_ok')
    const confirmed = { status: 'confirmed', payment: 'captured' }
    if (name === 'cancel') {
      await this.#send({ intent: 'cancel', method: 'POST', path: `/orders/${order}/cancel` }, this.#shopper)
      await this.#ends(order, { status: 'cancelled', payment: 'refunded' })
    } else if (name === 'refund') {
      const body = { amount: 100, reason: 'a scratch' }
      const path = `/orders/${order}/refunds`
      await this.#send({ intent: 'refund', path, body, key: randomUUID() }, this.#admin)
      await this.#ends(order, { ...confirmed, payment: 'partially_refunded' })
    } else if (name === 'carry') {
      await this.#carry(order)
    } else if (name === 'handOver') {
      const id = await this.#shipment(order)
      for (const verb of ['pack', 'ship']) await this.#staff(`/shipments/${id}/${verb}`)
      await this.#ends(order, { ...confirmed, status: 'shipped' })
      await this.#staff(`/shipments/${id}/deliver`)
      await this.#ends(order, { ...confirmed, status: 'delivered' })
    }
    return order
  }

  async #place(paymentToken: string): Promise<string> {
    const path = `/cart/items/${this.#sku}`
    await this.#send({ intent: 'cart', method: 'PUT', path, body: { quantity: 2 } }, this.#shopper)
    const body = { shippingAddress: ADDRESS, paymentToken, couponCode: this.#coupon }
    const question = { intent: 'place', path: '/orders', body, key: randomUUID() } as const
    const reply = await this.#send(question, this.#shopper)
    return reply.body.id as string
  }

  async #buy(paymentToken: string, end: End = { status: 'confirmed', payment: 'captured' }): Promise<string> {
    const order = await this.#place(paymentToken)
    await this.#ends(order, end)
    return order
  }

  /** Cancelled when everything is taken and nothing confirmed, so that all of it is undone. */
  async #abort(): Promise<string> {
    const coupon = await this.#hold(
      'coupons',
      sql`select from coupon where code = ${this.#coupon} for update`,
    )
    let order: string
    try {
      order = await this.#place('tok_ok')
      await this.#until('its stock is reserved', () =>
        this.#isSo('inventory', sql`select from reservation where order_id = ${order} and state = 'active'`),
      )
    } catch (error) {
      await coupon()
      throw error
    }
    const stock = await this.#hold('inventory', sql`select from stock where sku = ${this.#sku} for update`)
    try {
      await coupon()
      await this.#until('its money is held', () =>
        this.#isSo('orders', sql`select from flotilla.saga where id = ${order} and step = 'commitStock'`),
      )
      await this.#send({ intent: 'cancel', method: 'POST', path: `/orders/${order}/cancel` }, this.#shopper)
    } finally {
      await stock()
    }
    await this.#ends(order, { status: 'cancelled', payment: 'voided' })
    return order
  }

  /** The reservation runs out before the goods are taken; there are enough left. */
  async #expire(): Promise<string> {
    const coupon = await this.#hold(
      'coupons',
      sql`select from coupon where code = ${this.#coupon} for update`,
    )
    let order: string
    try {
      order = await this.#place('tok_ok')
      await this.#until('its reservation has run out', async () => {
        await this.#system.db('inventory').execute(sql`
          update reservation set expires_at = now() where order_id = ${order} and state = 'active'`)
        return this.#isSo(
          'inventory',
          sql`
          select from reservation where order_id = ${order} and state = 'expired'`,
        )
      })
    } finally {
      await coupon()
    }
    await this.#ends(order, { status: 'confirmed', payment: 'captured' })
    return order
  }

  /** The carrier takes the parcel from one status to the next. */
  async #carry(order: string): Promise<void> {
    await this.#shipment(order)
    for (const status of ['packed', 'shipped', 'delivered']) {
      await this.#system.db('shipping').execute(sql`
        update shipment set since = now() - interval '2 days' where order_id = ${order}`)
      await this.#until(`its parcel is ${status}`, () =>
        this.#isSo('shipping', sql`select from shipment where order_id = ${order} and status = ${status}`),
      )
    }
    await this.#ends(order, { status: 'delivered', payment: 'captured' })
  }

  /** Shipping cannot handle the order for a while. */
  async #park(): Promise<string> {
    let order: string
    const recover = this.#system.fail('group.before-commit@shipping')
    try {
      order = await this.#buy('tok_ok')
      // Or was: what is parked is tried again on a way that does not fail, maybe before we look.
      await this.#until('its event is parked', () =>
        this.#isSo(
          'shipping',
          sql`
            select 1 from flotilla.parked where key = ${order}
            union all select 1 from shipment where order_id = ${order}`,
        ),
      )
    } finally {
      recover()
    }
    await this.#shipment(order)
    return order
  }

  async #shipment(order: string): Promise<string> {
    let id: string | undefined
    await this.#until('there is a shipment', async () => {
      const row = await this.#system.db('shipping').maybe<{ id: string }>(sql`
        select id from shipment where order_id = ${order}`)
      id = row?.id
      return id !== undefined
    })
    return id as string
  }

  #staff(path: string): Promise<Reply> {
    return this.#send({ intent: 'odd', method: 'POST', path }, this.#admin)
  }

  /** The order is as it must be, and nothing is at work on it any more. */
  async #ends(order: string, { status, payment }: End): Promise<void> {
    await this.#until(`order ${order} is ${status} and ${payment}`, () =>
      this.#isSo(
        'orders',
        sql`
        select from "order" where id = ${order} and status = ${status} and payment_status = ${payment}
          and not exists (
            select from flotilla.saga where step is not null and (id = ${order} or id like ${`cancel-${order}%`}))`,
      ),
    )
  }

  async #isSo(service: string, query: ReturnType<typeof sql>): Promise<boolean> {
    return (await this.#system.db(service).many(query)).length > 0
  }

  /** Locks rows until told otherwise. */
  async #hold(service: string, query: ReturnType<typeof sql>): Promise<() => Promise<void>> {
    let release: () => void = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    let ended: Promise<void> = Promise.resolve()
    await new Promise<void>((resolve, reject) => {
      ended = this.#system.db(service).transaction(async (tx) => {
        await tx.execute(query)
        resolve()
        await released
      })
      ended.catch(reject)
    })
    return async () => {
      release()
      // Whether its session was lost meanwhile does not matter: it is over.
      await ended.catch(() => {})
    }
  }

  /** Asks until there is a definite answer, under the same key; it must be a good one. */
  async #send(question: Question, who: Shopper): Promise<Reply> {
    const { id } = who
    let reply = await this.#careful.ask(random, question, {
      userId: id,
      token: this.#tokens.get(id) ?? who.token,
    })
    if (reply.status === 401) {
      const { token } = await this.#system.shop.login(who.email, who.password)
      this.#tokens.set(id, token)
      reply = await this.#careful.ask(random, question, { userId: id, token })
    }
    if (reply.status >= 200 && reply.status < 300) return reply
    throw new Error(`${question.path}: ${reply.status} ${JSON.stringify(reply.body)}`)
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const untilMs = Date.now() + RECOVERY_MS_MAX
    while (!(await isSo())) {
      if (Date.now() > untilMs) throw new Error(`Not within ${RECOVERY_MS_MAX / 1000} s: ${what}`)
      await pause(LOOK_MS)
    }
  }
}

/** Real time, which real processes run in. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
