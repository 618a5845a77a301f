/**
 * What happens to a shop on trial besides customers who buy.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { seededRandom } from '@flotilla/core/random'
import { sql } from '@flotilla/core/sql'
import type { Reply } from '../workload/careful.ts'
import { type Customer, openAccount } from '../workload/customers.ts'
import { childrenOf, killNow, pollUntil, type Stage } from './trial.ts'

const HELD_MS = 500
const DAY_PART_MS = 15_000
/** A zombie wakes up when others have taken over, and before the supervisor loses patience. */
const PAUSE_MS = 3_500
const ADDRESS = { name: 'Ann Example', line1: 'Street 1', postcode: '01234', city: 'Town', country: 'DE' }
const random = seededRandom(11)

/** Somebody reads whatever order becomes known. */
export async function snoop(stage: Stage): Promise<void> {
  const { careful, journal, isRunning } = stage
  const snooper = await openAccount(careful, journal, random)
  for (let next = 0; isRunning(); ) {
    await pollUntil(() => journal.entries.length > next || !isRunning(), DAY_PART_MS)
    const { intent, body, userId } = journal.entries[next++] ?? {}
    const id = intent === 'place' && userId !== snooper.userId ? body?.id : undefined
    if (id !== undefined) await careful.once({ intent: 'order', path: `/orders/${id}` }, snooper)
  }
}

/** Two customers whose programs count their keys from 1. */
export async function shareKeys(stage: Stage): Promise<void> {
  const [ann, ben] = [await newCustomer(stage), await newCustomer(stage)]
  for (const customer of [ann, ben]) await fillCart(stage, customer)
  for (const customer of [ann, ben]) await order(stage, customer, 'order-1')
}

/** Customers who order one cart in two tabs at once. */
export async function orderInTabs(stage: Stage): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    const customers = await Promise.all([newCustomer(stage), newCustomer(stage)])
    await Promise.all(
      customers.map(async (customer) => {
        await fillCart(stage, customer)
        await Promise.all([1, 2, 3].map(() => order(stage, customer, randomUUID())))
      }),
    )
  }
}

/** Customers whose cards are no good. */
export async function orderWithBadCards(stage: Stage): Promise<void> {
  for (let count = 0; count < 8; count++) {
    const customer = await newCustomer(stage)
    await fillCart(stage, customer)
    await order(stage, customer, randomUUID(), 'tok_declined')
  }
}

/** Reservations run out while their goods are being taken: as if everybody had been away for a quarter of an hour. */
export async function runOut({ db, isRunning }: Stage): Promise<void> {
  while (isRunning()) {
    await db('inventory').execute(sql`
      update reservation set expires_at = now() + interval '150 milliseconds' where state = 'active'`)
    // Whoever takes goods now has changed the reservation, and waits for the stock.
    await db('inventory').transaction(async (tx) => {
      await tx.execute(sql`select from stock for update`)
      await sleep(HELD_MS)
    })
    await sleep(HELD_MS / 4)
  }
}

/** A customer cancels when the parcel is gone, and orders has not heard of it. */
export async function cancelTooLate(stage: Stage): Promise<void> {
  const { careful, db } = stage
  const customer = await newCustomer(stage)
  await fillCart(stage, customer)
  const { body } = await order(stage, customer, randomUUID())
  const isSo = async (service: string, query: ReturnType<typeof sql>): Promise<boolean> =>
    (await db(service).many(query)).length > 0
  stage.arm('group.before-commit@orders', 'fail')
  await pollUntil(
    () => isSo('shipping', sql`select from fulfilment where order_id = ${body.id} and fate = 'shipped'`),
    DAY_PART_MS,
  )
  await careful.ask(
    random,
    { intent: 'cancel', method: 'POST', path: `/orders/${body.id}/cancel`, body: {} },
    customer,
  )
  await pollUntil(
    () =>
      isSo('orders', sql`select from flotilla.saga where id like ${`cancel-${body.id}%`} and step is null`),
    DAY_PART_MS,
  )
  stage.disarm('group.before-commit@orders')
}

/** Whoever stopped at `place` goes on when others have taken over. */
export function wakeUp(place: string): (stage: Stage) => Promise<void> {
  return async ({ hitBy }) => {
    await pollUntil(() => hitBy(place) !== undefined, DAY_PART_MS)
    await sleep(PAUSE_MS)
    const pid = hitBy(place)
    try {
      if (pid !== undefined) process.kill(pid, 'SIGCONT')
    } catch {
      // The supervisor was quicker.
    }
  }
}

/** All processes of PostgreSQL end in the midst of it, as when the machine does. */
export async function killPostgres({ fleet, orders }: Stage): Promise<void> {
  for (const count of [10, 20]) {
    await pollUntil(() => orders() >= count, DAY_PART_MS)
    const postmaster = fleet.postmaster()?.pid
    if (postmaster === undefined) continue
    for (const pid of [...childrenOf(postmaster), postmaster]) killNow(pid)
    await pollUntil(() => (fleet.postmaster()?.pid ?? postmaster) !== postmaster, DAY_PART_MS)
  }
}

function newCustomer({ careful, journal }: Stage): Promise<Customer> {
  return openAccount(careful, journal, random)
}

async function fillCart({ careful }: Stage, customer: Customer): Promise<void> {
  const { body } = await careful.ask(random, { intent: 'browse', path: '/products?limit=1' })
  const path = `/cart/items/${body.items[0].sku}`
  await careful.ask(random, { intent: 'cart', method: 'PUT', path, body: { quantity: 1 } }, customer)
}

function order({ careful }: Stage, customer: Customer, key: string, paymentToken = 'tok_ok'): Promise<Reply> {
  const body = { shippingAddress: ADDRESS, paymentToken }
  return careful.ask(random, { intent: 'place', path: '/orders', key, body }, customer)
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
