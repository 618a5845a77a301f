/**
 * One visit of a customer: looks around, fills the cart, orders, and sometimes thinks better of it.
 *
 * @module
 */
import { type Random, randomInteger } from '@flotilla/core/random'
import type { Careful, Question, Reply } from './careful.ts'
import { askAs, type Customer, hexOf, type Member } from './customers.ts'
import { pick, type Shelf } from './shelf.ts'

/** What came of orders. */
export interface OrderTally {
  /** Accepted by the shop, whatever became of them. */
  orders: number
  confirmed: number
  rejected: number
  cancelled: number
  /** Those of which their customer did not wait to hear. */
  left: number
  /** Refused before they were orders. */
  refused: number
  cancellations: number
  refunds: number
}

/** What a visit takes. */
export interface SessionOptions {
  readonly careful: Careful
  readonly random: Random
  readonly customer: Customer
  readonly admin: Member
  readonly shelf: Shelf
  readonly tally: OrderTally
}

/** Tokens of cards with their shares; the rest is good. */
const CARDS: readonly (readonly [token: string, share: number])[] = [
  ['tok_declined', 0.06],
  ['tok_timeout_after_charge', 0.03],
  ['tok_error_once', 0.05],
  ['tok_slow', 0.03],
  ['tok_unknown', 0.01],
]
const LOOK_MS = 150
const FOLLOW_MS_MAX = 45_000

/** Visits. */
export async function visit(options: SessionOptions): Promise<void> {
  const { random } = options
  await browse(options)
  if (random.next() < 0.02) await doOddThings(options)
  if (!(await fillCart(options))) return
  const placed = await place(options)
  if (placed === undefined) return
  await afterwards(options, placed)
}

function ask({ careful, random, customer }: SessionOptions, question: Question): Promise<Reply> {
  return askAs(customer, careful, random, question)
}

async function browse(options: SessionOptions): Promise<void> {
  const { careful, random, shelf, customer } = options
  const ware = pick(random, random.next() < 0.3 ? shelf.hot : shelf.wares)
  const pages = [
    `/products/${ware.id}`,
    '/home',
    '/search?q=tea',
    `/stock/${ware.sku}`,
    '/dashboard',
    '/recommendations',
  ]
  for (let pagesLeft = randomInteger(random, 3); pagesLeft > 0; pagesLeft--) {
    // A page that is not there is no reason to stay away.
    await careful.once({ intent: 'browse', path: pick(random, pages) }, customer)
  }
}

/** What must be refused, and must not be written down anywhere. */
async function doOddThings(options: SessionOptions): Promise<void> {
  const { random, careful, customer } = options
  const pan = pick(random, ['4111111111111111', '5555555555554444'])
  const shippingAddress = addressOf(customer)
  await ask(options, {
    intent: 'odd',
    path: '/orders',
    key: hexOf(random, 24),
    body: { shippingAddress, paymentToken: pan },
  })
  const wrong = { email: customer.email, password: `5ecre7 wrong ${hexOf(random, 16)}` }
  await careful.ask(random, { intent: 'odd', path: '/auth/login', body: wrong })
}

function addressOf({ canary }: Customer): Readonly<Record<string, string>> {
  return { name: canary, line1: `Street of ${canary}`, postcode: '01234', city: 'Town', country: 'DE' }
}

async function fillCart(options: SessionOptions): Promise<boolean> {
  const { random, shelf } = options
  await ask(options, { intent: 'cart', method: 'DELETE', path: '/cart' })
  const isHot = random.next() < 0.25
  const wares = new Set([pick(random, isHot ? shelf.hot : shelf.wares)])
  for (let more = randomInteger(random, 3); more > 0; more--) wares.add(pick(random, shelf.wares))
  for (const { sku } of wares) {
    const quantity = 1 + randomInteger(random, 3)
    const isAdded = random.next() < 0.3
    const question: Question = isAdded
      ? { intent: 'cart', path: '/cart/items', key: hexOf(random, 24), body: { sku, quantity } }
      : { intent: 'cart', method: 'PUT', path: `/cart/items/${sku}`, body: { quantity } }
    const { status } = await ask(options, question)
    if (status !== 200) return false
  }
  if (random.next() < 0.25) {
    await ask(options, { intent: 'cart', path: '/cart/coupon', body: { code: pick(random, shelf.coupons) } })
  }
  return true
}

/** Orders, often more than once; the order's id, or undefined when there is none that is known of. */
async function place(options: SessionOptions): Promise<string | undefined> {
  const { random, customer, tally } = options
  const waits = random.next() < 0.4 ? { waitS: 1 + randomInteger(random, 10) } : {}
  const order: Question = {
    intent: 'place',
    path: '/orders',
    key: hexOf(random, 24),
    body: { shippingAddress: addressOf(customer), paymentToken: cardOf(random) },
    ...waits,
  }
  const chance = random.next()
  // A double click, and another tab: at most one of the two can be an order.
  const others = chance < 0.12 ? [order] : chance < 0.18 ? [{ ...order, key: hexOf(random, 24) }] : []
  const replies = await Promise.all([order, ...others].map((one) => ask(options, one)))
  const ids = new Set(replies.map(idIn).filter((id) => id !== undefined))
  tally.orders += ids.size
  if (ids.size === 0) tally.refused++
  // Who is not sure looks again, later: the answer must be the same.
  if (random.next() < 0.1) await ask(options, { ...order, ...{ waitS: 0 } })
  return [...ids][0]
}

function idIn({ status, body }: Reply): string | undefined {
  return status === 201 || status === 202 ? body.id : body?.data?.orderId
}

function cardOf(random: Random): string {
  let left = random.next()
  for (const [token, share] of CARDS) {
    left -= share
    if (left < 0) return token
  }
  return 'tok_ok'
}

async function afterwards(options: SessionOptions, id: string): Promise<void> {
  const { random, tally } = options
  const chance = random.next()
  if (chance < 0.05) await cancel(options, id)
  // Most do not stay to see it confirmed.
  if (chance > 0.5) {
    tally.left++
    return
  }
  const isRefunding = chance >= 0.12 && chance < 0.22
  const status = await follow(options, id, isRefunding)
  if (status === 'confirmed') tally.confirmed++
  else if (status === 'rejected' || status === 'expired') tally.rejected++
  else if (status === 'cancelled') tally.cancelled++
  else tally.left++
  if (status !== 'confirmed') return
  if (chance < 0.12) await cancel(options, id)
  else if (isRefunding) await refund(options, id)
}

async function cancel(options: SessionOptions, id: string): Promise<void> {
  const { random, tally } = options
  const question: Question = { intent: 'cancel', method: 'POST', path: `/orders/${id}/cancel`, body: {} }
  const times = random.next() < 0.3 ? [question, question] : [question]
  const replies = await Promise.all(times.map((one) => ask(options, one)))
  if (replies.some(({ status }) => status === 200)) tally.cancellations++
}

async function refund({ careful, random, admin, tally }: SessionOptions, id: string): Promise<void> {
  for (let times = 1 + randomInteger(random, 2); times > 0; times--) {
    const amount = random.next() < 0.7 ? { amount: 1 + randomInteger(random, 1_500) } : {}
    const question: Question = {
      intent: 'refund',
      path: `/orders/${id}/refunds`,
      key: hexOf(random, 24),
      body: { ...amount, reason: 'it was broken' },
    }
    const both = random.next() < 0.2 ? [question, question] : [question]
    const replies = await Promise.all(both.map((one) => askAs(admin, careful, random, one)))
    if (replies.some(({ status }) => status === 202)) tally.refunds++
  }
}

/** Looks until it is decided, or, if that is wanted, paid; the last status that was seen. */
async function follow(options: SessionOptions, id: string, isPaymentWanted: boolean): Promise<string> {
  const giveUpMs = Date.now() + FOLLOW_MS_MAX
  for (;;) {
    const { status, body } = await ask(options, { intent: 'order', path: `/orders/${id}` })
    const seen = status === 200 ? body.status : 'unseen'
    const isPaying = isPaymentWanted && body?.paymentStatus === 'authorised'
    if ((seen !== 'pending' && !isPaying) || Date.now() > giveUpMs) return seen
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS * (0.5 + options.random.next())))
  }
}
