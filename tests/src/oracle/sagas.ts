/**
 * 12: sagas end, and those that were undone leave nothing behind.
 *
 * @module
 */
import { sql } from '@flotilla/core/sql'
import { cameToNothing, seeOrders, wasConfirmed } from './orders.ts'
import { type Check, Finding, type Found } from './report.ts'
import type { World } from './world.ts'

const SAGAS = '12 Sagas end'

/** The checks. */
export const sagaChecks: readonly Check[] = [
  { invariant: SAGAS, says: 'all are completed or undone; none is parked', holds: 'settled', look: ended },
  {
    invariant: SAGAS,
    says: 'each order has its own, which ended as the order did',
    holds: 'settled',
    look: asTheOrder,
  },
  {
    invariant: SAGAS,
    says: 'undone means: nothing is kept, taken, held or in force',
    holds: 'settled',
    look: nothingLeft,
  },
]

interface Saga {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly step: string | null
  readonly error: { readonly message?: string } | null
}

const seeSagas = (world: World): Promise<Saga[]> =>
  world.once('sagas', () =>
    world.rows<Saga>('orders', sql`select id, name, status, step, error from flotilla.saga`),
  )

async function ended(world: World): Promise<Found> {
  const finding = new Finding()
  for (const { id, name, status, step, error } of await seeSagas(world)) {
    const isOver = status === 'completed' || status === 'compensated'
    finding.expect(isOver, id, () => `${name} is ${status} at ${step} (${error?.message ?? 'no error'})`)
  }
  return finding
}

async function asTheOrder(world: World): Promise<Found> {
  const finding = new Finding()
  const sagas = await seeSagas(world)
  const byId = new Map(sagas.map((saga) => [saga.id, saga]))
  // Each wish to cancel has a saga of its own, and one of them may be granted.
  const cancels = sagas.filter(({ name }) => name === 'cancel')
  for (const order of (await seeOrders(world)).values()) {
    const { id, types, refunds, status } = order
    const checkout = byId.get(id)
    const wanted = wasConfirmed(order) ? 'completed' : 'compensated'
    finding.expect(
      checkout?.status === wanted,
      id,
      () => `the order is ${status}, its checkout ${checkout?.status}`,
    )
    finding.expect(
      types.includes('checkedOut') === (wanted === 'completed'),
      id,
      'checked out, or not, unlike its checkout',
    )
    if (types.includes('cancelled')) {
      const own = cancels.filter((saga) => saga.id.startsWith(`cancel-${id}`)).map((saga) => saga.status)
      finding.expect(
        own.filter((one) => one === 'completed').length === 1,
        id,
        () => `it is cancelled, its cancel sagas are ${own.join(', ')}`,
      )
    }
    for (const [refundId, refund] of refunds) {
      finding.expect(refund.status !== 'processing', [id, refundId], 'a refund that does not end')
      const saga = byId.get(refundId)
      const shouldBe = refund.status === 'done' ? 'completed' : 'compensated'
      // Those of a cancellation have no saga of their own.
      if (saga !== undefined) {
        finding.expect(saga.status === shouldBe, refundId, () => `${refund.status}, its saga ${saga.status}`)
      }
    }
  }
  return finding
}

async function nothingLeft(world: World): Promise<Found> {
  const finding = new Finding()
  const states = async (service: string, query: ReturnType<typeof sql>): Promise<Map<string, string>> => {
    const rows = await world.rows<{ id: string; state: string }>(service, query)
    return new Map(rows.map(({ id, state }) => [id, state]))
  }
  const reservations = await states('inventory', sql`select order_id as id, state from reservation`)
  const uses = await states('coupons', sql`select order_id as id, state from coupon_use`)
  const attempts = await states('payments', sql`select id, state from attempt`)
  const emptied = await states('cart', sql`select order_id as id, '' as state from cart_order`)
  for (const order of (await seeOrders(world)).values()) {
    const { id, status, placed } = order
    if (wasConfirmed(order)) finding.expect(emptied.has(id), id, 'what was bought is still in the cart')
    else finding.expect(!emptied.has(id), id, 'the cart was emptied for nothing')
    if (!cameToNothing(order)) {
      finding.expect(
        reservations.get(id) === 'committed',
        id,
        () => `${status}, its stock ${reservations.get(id)}`,
      )
      continue
    }
    const [kept = 'none', used = 'none'] = [reservations.get(id), uses.get(id)]
    const attempt = attempts.get(placed.attemptId) ?? 'none'
    finding.expect(kept === 'released' || kept === 'none', id, () => `${status}, and its stock is ${kept}`)
    finding.expect(used !== 'active', id, () => `${status}, and its coupon is in use`)
    const isUnpaid = ['none', 'declined', 'voided'].includes(attempt)
    finding.expect(
      wasConfirmed(order) ? isUnpaid || attempt === 'refunded' : isUnpaid,
      id,
      () => `${status}, and its payment is ${attempt}`,
    )
  }
  const known = await seeOrders(world)
  for (const id of [...reservations.keys(), ...uses.keys(), ...emptied.keys()]) {
    if (!known.has(id)) finding.wrong(id, 'something was done for an order that does not exist')
  }
  return finding
}
