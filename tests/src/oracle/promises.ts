/**
 * 9 and 10: what was acknowledged is there, what was refused is not, and a repeat gets the same answer.
 *
 * @module
 */
import { sql } from '@flotilla/core/sql'
import type { Entry } from '../workload/journal.ts'
import { seeOrders } from './orders.ts'
import { type Check, Finding, type Found } from './report.ts'
import type { World } from './world.ts'

const DURABLE = '9 Acknowledged is durable, refused has no effect'
const REPLAY = '10 A repeat gets the same answer'

/** The checks. */
export const promiseChecks: readonly Check[] = [
  {
    invariant: DURABLE,
    says: 'every order that was accepted exists, as it was told',
    holds: 'settled',
    look: accepted,
  },
  {
    invariant: DURABLE,
    says: 'an order that nobody was told of is one whose outcome its customer does not know',
    holds: 'settled',
    look: unheardOf,
  },
  {
    invariant: DURABLE,
    says: 'accepted cancellations and refunds were carried out',
    holds: 'settled',
    look: carriedOut,
  },
  {
    invariant: DURABLE,
    says: 'counts of stock, prices, carts and accounts that were acknowledged are there',
    holds: 'settled',
    look: written,
  },
  {
    invariant: REPLAY,
    says: 'answers to the same command under one key are equal',
    holds: 'always',
    look: sameAnswers,
  },
]

/** True when it says for certain that something was done. */
function isDone({ status }: Entry): boolean {
  return status >= 200 && status < 300
}

/** True when it says for certain that nothing will be done, whoever repeats it. */
function isRefused({ status }: Entry): boolean {
  return status >= 400 && status < 500 && status !== 409 && status !== 429 && status !== 408
}

/** The order an answer speaks of; undefined: of none. */
function orderOf({ status, body }: Entry): string | undefined {
  const id = status === 201 || status === 202 ? body?.id : body?.data?.orderId
  return typeof id === 'string' ? id : undefined
}

async function accepted(world: World): Promise<Found> {
  const finding = new Finding()
  const orders = await seeOrders(world)
  for (const entry of world.journal.entries) {
    const id = entry.intent === 'place' ? orderOf(entry) : undefined
    if (id === undefined) continue
    const order = orders.get(id)
    finding.expect(order !== undefined, id, 'it was accepted and does not exist')
    if (order === undefined) continue
    finding.expect(order.placed.userId === entry.userId, id, 'it is somebody else’s')
    const told = entry.body.total?.amount
    const { amount } = order.placed.totals.total
    finding.expect(
      told === undefined || told === amount,
      id,
      () => `${told} was told, the order says ${amount}`,
    )
    const waited = entry.status === 201 ? entry.body.status : undefined
    finding.expect(
      waited !== 'confirmed' || order.types.includes('confirmed'),
      id,
      'it was told to be confirmed and never was',
    )
  }
  return finding
}

async function unheardOf(world: World): Promise<Found> {
  const finding = new Finding()
  /** By user, then key: an order, or what is known about it. */
  const keys = new Map<string, Map<string, 'told' | 'refused' | 'unknown'>>()
  const told = new Set<string>()
  for (const entry of world.journal.entries) {
    const { intent, userId = '', key = '' } = entry
    if (intent !== 'place') continue
    const own = keys.get(userId) ?? new Map()
    keys.set(userId, own)
    const id = orderOf(entry)
    if (id !== undefined) told.add(id)
    // A conflict with a reason is the shop's last word; one without means that a repeat is under way.
    const isLast = isRefused(entry) || (entry.status === 409 && entry.body?.reason !== undefined)
    if (id !== undefined) own.set(key, 'told')
    else if (isLast && own.get(key) !== 'told') own.set(key, 'refused')
    else if (!own.has(key)) own.set(key, 'unknown')
  }
  const silent = new Map<string, string[]>()
  for (const { id, placed } of (await seeOrders(world)).values()) {
    if (!told.has(id)) silent.set(placed.userId, [...(silent.get(placed.userId) ?? []), id])
    finding.checked++
  }
  for (const [userId, ids] of silent) {
    const unknown = [...(keys.get(userId)?.values() ?? [])].filter((one) => one === 'unknown').length
    if (ids.length > unknown)
      finding.wrong(ids, `orders of ${userId}, who does not know the outcome of ${unknown}`)
  }
  return finding
}

async function carriedOut(world: World): Promise<Found> {
  const finding = new Finding()
  const orders = await seeOrders(world)
  for (const entry of world.journal.entries) {
    if (!isDone(entry)) continue
    if (entry.intent === 'cancel') {
      const order = orders.get(entry.body.id)
      const isHeard = order?.types.some((type) => type === 'cancelWished' || type === 'abandoned') ?? false
      finding.expect(isHeard, entry.body.id, 'its cancellation was accepted and is not known')
      const isDecided = order?.types.some((type) =>
        /^(abandoned|cancelled|cancelRefused|rejected|expired)$/.test(type),
      )
      finding.expect(isDecided ?? false, entry.body.id, 'its cancellation was never decided')
    } else if (entry.intent === 'refund') {
      const id = entry.path.split('/')[2] ?? ''
      const refund = orders.get(id)?.refunds.get(entry.body.id)
      finding.expect(
        refund !== undefined && refund.status !== 'processing' && refund.amount === entry.body.amount.amount,
        [id, entry.body.id],
        () => `a refund of ${entry.body.amount.amount} was accepted, and is ${JSON.stringify(refund)}`,
      )
    }
  }
  return finding
}

async function written(world: World): Promise<Found> {
  const finding = new Finding()
  const counts = await world.rows<{ sku: string; version: number }>(
    'inventory',
    sql`select sku, version from movement`,
  )
  const movements = new Set(counts.map(({ sku, version }) => `${sku} ${version}`))
  const versions = async (service: string, query: ReturnType<typeof sql>): Promise<Map<string, number>> =>
    new Map(
      (await world.rows<{ id: string; version: number }>(service, query)).map(({ id, version }) => [
        id,
        version,
      ]),
    )
  const products = await versions('catalog', sql`select id, version from product`)
  const carts = await versions('cart', sql`select user_id as id, version from cart`)
  const accounts = await versions('auth', sql`select id, 1 as version from account`)
  for (const entry of world.journal.entries) {
    if (!isDone(entry)) continue
    const { intent, body, userId = '' } = entry
    if (intent === 'stock') {
      finding.expect(
        movements.has(`${body.sku} ${body.version}`),
        body.sku,
        () => `version ${body.version} is lost`,
      )
    } else if (intent === 'price') {
      finding.expect(
        (products.get(body.id) ?? 0) >= body.version,
        body.id,
        () => `version ${body.version} is lost`,
      )
    } else if (intent === 'cart' && body?.version !== undefined) {
      finding.expect(
        (carts.get(userId) ?? 0) >= body.version,
        userId,
        () => `version ${body.version} of a cart is lost`,
      )
    } else if (intent === 'register') {
      finding.expect(accounts.has(body.user.id), body.user.id, 'the account is lost')
    }
  }
  return finding
}

async function sameAnswers(world: World): Promise<Found> {
  const finding = new Finding()
  const first = new Map<string, string>()
  for (const entry of world.journal.entries) {
    const { key, userId, method, path, waitS, body, status } = entry
    // Who waits is told how the order is at that time.
    const isLast = isDone(entry) || (status === 409 && body?.reason !== undefined)
    if (key === undefined || !isLast || (waitS ?? 0) > 0) continue
    const name = `${userId} ${key} ${method} ${path}`
    const { traceId: _, ...told } = body ?? {}
    const answer = JSON.stringify([status, told])
    const before = first.get(name)
    first.set(name, before ?? answer)
    finding.expect(before === undefined || before === answer, key, () => `${before} and then ${answer}`)
  }
  return finding
}
