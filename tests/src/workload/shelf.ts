/**
 * What a workload buys, and what its administrator does to it: little stock of what everybody wants, prices that change, counts
 * of stock while it is being sold.
 *
 * @module
 */
import { type Random, randomInteger } from '@flotilla/core/random'
import type { Careful } from './careful.ts'
import { askAs, hexOf, type Member } from './customers.ts'

/** A product that is bought. */
export interface Ware {
  readonly id: string
  readonly sku: string
}

/** What is for sale. */
export interface Shelf {
  /** Enough for everybody. */
  readonly wares: readonly Ware[]
  /** Too little for all who want it. */
  readonly hot: readonly Ware[]
  /** Codes that people try. */
  readonly coupons: readonly string[]
}

const WARES = 30
const HOT = 5
const PLENTY = 100_000

/** One of several. */
export function pick<T>(random: Random, all: readonly T[]): T {
  return all[randomInteger(random, all.length)] as T
}

/** Chooses wares, counts their stock, and makes coupons: one that may be used once, one once by each customer. */
export async function fillShelf(
  careful: Careful,
  admin: Member,
  random: Random,
  orders: number,
): Promise<Shelf> {
  const listed = await careful.ask(random, { intent: 'browse', path: '/products?limit=100' })
  const found = [...(listed.body.items as Ware[])].map(({ id, sku }) => ({ id, sku }))
  const wares: Ware[] = []
  while (wares.length < WARES + HOT)
    wares.push(found.splice(randomInteger(random, found.length), 1)[0] as Ware)
  const hot = wares.splice(0, HOT)
  const little = Math.max(3, Math.round(orders / 100))
  for (const { sku } of wares) await count(careful, admin, random, sku, PLENTY)
  for (const { sku } of hot) await count(careful, admin, random, sku, little)
  const tag = hexOf(random, 6).toUpperCase()
  const [once, each, few] = [`ONCE-${tag}`, `EACH-${tag}`, `FEW-${tag}`]
  const make = (code: string, limits: Readonly<Record<string, number>>) =>
    askAs(admin, careful, random, {
      intent: 'odd',
      path: '/coupons',
      key: `coupon ${code}`,
      body: { code, benefit: { kind: 'percent', percent: 15 }, ...limits },
    })
  await make(once, { limitTotal: 1 })
  await make(each, { limitPerCustomer: 1 })
  await make(few, { limitTotal: Math.max(2, Math.round(orders / 50)), limitPerCustomer: 3 })
  return { wares, hot, coupons: [once, each, few, 'SAVE10', 'FREESHIP', 'WELCOME5', 'SPRING20'] }
}

/** Changes something while people buy: a price, the count of something. */
export async function disturb(
  careful: Careful,
  admin: Member,
  random: Random,
  shelf: Shelf,
  orders: number,
): Promise<void> {
  if (random.next() < 0.5) {
    const { sku } = pick(random, shelf.hot)
    return count(careful, admin, random, sku, randomInteger(random, Math.max(4, Math.round(orders / 60))))
  }
  const { id } = pick(random, shelf.wares)
  const { status, body } = await careful.ask(random, { intent: 'browse', path: `/products/${id}` })
  if (status !== 200) return
  const { name, description, category, price, attributes, version } = body
  const amount = Math.max(100, Math.round(price.amount * (0.8 + 0.4 * random.next())))
  await askAs(admin, careful, random, {
    intent: 'price',
    method: 'PUT',
    path: `/products/${id}`,
    version,
    body: { name, description, category, price: { ...price, amount }, attributes, isPublished: true },
  })
}

async function count(
  careful: Careful,
  admin: Member,
  random: Random,
  sku: string,
  onHand: number,
): Promise<void> {
  await askAs(admin, careful, random, {
    intent: 'stock',
    method: 'PUT',
    path: `/stock/${sku}`,
    body: { onHand },
  })
}
