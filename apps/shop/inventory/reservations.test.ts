import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFlotillaError } from '@flotilla/core/error'
import { testCall } from '@flotilla/core/test-call'
import type { TestDatabase } from '@flotilla/core/test-database'
import { until } from '@flotilla/core/until'
import { assertBalanced, type OpenedInventory, openInventory } from './opened-inventory.test.ts'
import { endReservation, expireReservations } from './reservation-store.ts'

const [A, B] = ['A-1', 'B-1']
const ended = { code: 'failed_precondition', status: 409, reason: 'reservation_ended' }
const outOfStock = { code: 'failed_precondition', status: 409, reason: 'out_of_stock' }
/** Often enough to be waited for. */
const SWEEPS = { INVENTORY_SWEEP_MS: '10' }

/** How an order's reservation moved stock. */
function movementsOf({ ask }: TestDatabase, orderId: string): Promise<unknown[]> {
  const text = `select kind, sku, on_hand_delta as "onHand", reserved_delta as reserved from movement
    where order_id = $1 order by at, version`
  return ask(text, [orderId])
}

/** Lets time pass for an order. */
async function expire({ ask }: TestDatabase, orderId: string): Promise<void> {
  await ask(`update reservation set expires_at = now() - interval '1 second' where order_id = $1`, [orderId])
}

async function expireAndSee({ database, fromOrders }: OpenedInventory, orderId: string): Promise<void> {
  await expire(database, orderId)
  const isExpired = async (): Promise<boolean> =>
    (await fromOrders.reservation({ orderId })).state === 'expired'
  await until('it has expired', isExpired)
}

/** An inventory with 10 of A-1 and 10 of B-1. */
async function open(...args: Parameters<typeof openInventory>): Promise<OpenedInventory> {
  const opened = await openInventory(...args)
  for (const sku of [A, B]) await opened.calls.setStock({ sku, onHand: 10 })
  return opened
}

describe('inventory.reserve', () => {
  it('keeps what is wanted, the same SKU of several lines added up', async (t) => {
    const { calls, fromOrders, database } = await open(t)
    const lines = [
      { sku: B, quantity: 1 },
      { sku: A, quantity: 2 },
      { sku: B, quantity: 3 },
    ]
    const { reservationId, expiresAt } = await fromOrders.reserve({ orderId: 'o1', lines })
    const reservation = await fromOrders.reservation({ orderId: 'o1' })
    assert.deepEqual(reservation, {
      reservationId,
      orderId: 'o1',
      state: 'active',
      lines: [
        { sku: A, quantity: 2 },
        { sku: B, quantity: 4 },
      ],
      expiresAt,
      version: 1,
    })
    const stock = await calls.stock({ sku: B })
    assert.deepEqual([stock.onHand, stock.reserved, stock.available], [10, 4, 6])
    const [{ lasts } = { lasts: 0 }] = await database.ask<{ lasts: number }>(
      'select extract(epoch from expires_at - created_at)::float8 as lasts from reservation',
    )
    assert.equal(lasts, 900)
    await assertBalanced(database)
  })

  it('adds up before it looks, so that lines cannot get more together than there is', async (t) => {
    const { fromOrders, database } = await open(t)
    const half = { sku: A, quantity: 6 }
    await assert.rejects(fromOrders.reserve({ orderId: 'o1', lines: [half, half] }), outOfStock)
    await assertBalanced(database)
  })

  it('keeps nothing when there is too little of one, and tells of which', async (t) => {
    const { fromOrders, calls, database } = await open(t)
    const lines = [
      { sku: 'NONE-1', quantity: 1 },
      { sku: A, quantity: 10 },
      { sku: B, quantity: 11 },
    ]
    await assert.rejects(fromOrders.reserve({ orderId: 'o1', lines }), {
      ...outOfStock,
      data: {
        skus: [
          { sku: B, available: 10 },
          { sku: 'NONE-1', available: 0 },
        ],
      },
    })
    assert.equal((await calls.stock({ sku: A })).available, 10)
    await assert.rejects(fromOrders.reservation({ orderId: 'o1' }), { reason: 'no_reservation' })
    await fromOrders.reserve({ orderId: 'o1', lines: [{ sku: A, quantity: 10 }] })
    await assertBalanced(database)
  })

  it('leaves what is kept back', async (t) => {
    const { fromOrders, database } = await open(t)
    await database.ask('update stock set safety = 8')
    await assert.rejects(fromOrders.reserve({ orderId: 'o1', lines: [{ sku: A, quantity: 3 }] }), outOfStock)
    await fromOrders.reserve({ orderId: 'o1', lines: [{ sku: A, quantity: 2 }] })
  })

  it('keeps it once per order, however often it is asked, also at once', async (t) => {
    const { fromOrders, calls } = await open(t)
    const lines = [{ sku: A, quantity: 3 }]
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => fromOrders.reserve({ orderId: 'o1', lines })),
    )
    for (const answer of answers) assert.deepEqual(answer, answers[0])
    assert.equal((await calls.stock({ sku: A })).reserved, 3)
    const other = fromOrders.reserve({ orderId: 'o1', lines: [{ sku: A, quantity: 4 }] })
    await assert.rejects(other, { reason: 'reservation_differs' })
  })

  it('takes only what is an order', async (t) => {
    const { fromOrders, calls, fromCatalog } = await open(t)
    const bad = { code: 'invalid_argument' }
    for (const quantity of [0, -1, 0.5]) {
      await assert.rejects(fromOrders.reserve({ orderId: 'o1', lines: [{ sku: A, quantity }] }), bad)
    }
    const lines = [{ sku: A, quantity: 1 }]
    await assert.rejects(fromOrders.reserve({ orderId: 'o1', lines: [] }), bad)
    await assert.rejects(fromOrders.reserve({ orderId: 'o1', lines, ttlS: 0 }), bad)
    await assert.rejects(fromOrders.reserve({ orderId: 'o1', lines, ttlS: 86_401 }), bad)
    for (const foreign of [calls, fromCatalog]) {
      await assert.rejects(foreign.reserve({ orderId: 'o1', lines }), { code: 'permission_denied' })
      await assert.rejects(foreign.commit({ orderId: 'o1' }), { code: 'permission_denied' })
      await assert.rejects(foreign.release({ orderId: 'o1', reason: 'x' }), { code: 'permission_denied' })
      await assert.rejects(foreign.reservation({ orderId: 'o1' }), { code: 'permission_denied' })
    }
  })
})

describe('inventory.commit', () => {
  it('takes it out of stock, once', async (t) => {
    const { fromOrders, calls, database } = await open(t)
    await fromOrders.reserve({ orderId: 'o1', lines: [{ sku: A, quantity: 3 }] })
    await Promise.all([1, 2, 3].map(() => fromOrders.commit({ orderId: 'o1' })))
    const { onHand, reserved } = await calls.stock({ sku: A })
    assert.deepEqual([onHand, reserved], [7, 0])
    assert.deepEqual(await movementsOf(database, 'o1'), [
      { kind: 'reservation', sku: A, onHand: 0, reserved: 3 },
      { kind: 'sale', sku: A, onHand: -3, reserved: -3 },
    ])
    assert.equal((await fromOrders.reservation({ orderId: 'o1' })).state, 'committed')
    await assertBalanced(database)
  })

  it('knows only what was reserved', async (t) => {
    const { fromOrders } = await open(t)
    await assert.rejects(fromOrders.commit({ orderId: 'o1' }), { status: 404, reason: 'no_reservation' })
    await fromOrders.release({ orderId: 'o1', reason: 'rejected' })
    await assert.rejects(fromOrders.commit({ orderId: 'o1' }), ended)
  })

  it('takes what is there when it comes after the expiry, or tells that there is too little', async (t) => {
    const opened = await open(t, SWEEPS)
    const { fromOrders, calls, database } = opened
    await fromOrders.reserve({ orderId: 'o1', lines: [{ sku: A, quantity: 6 }] })
    await expireAndSee(opened, 'o1')
    assert.equal((await calls.stock({ sku: A })).available, 10)
    await assert.rejects(fromOrders.reserve({ orderId: 'o1', lines: [{ sku: A, quantity: 6 }] }), ended)
    await fromOrders.reserve({ orderId: 'o2', lines: [{ sku: A, quantity: 5 }] })
    await assert.rejects(fromOrders.commit({ orderId: 'o1' }), {
      ...outOfStock,
      data: { skus: [{ sku: A, available: 5 }] },
    })
    assert.equal((await fromOrders.reservation({ orderId: 'o1' })).state, 'expired')
    await fromOrders.release({ orderId: 'o2', reason: 'cancelled' })
    await fromOrders.commit({ orderId: 'o1' })
    assert.deepEqual(await movementsOf(database, 'o1'), [
      { kind: 'reservation', sku: A, onHand: 0, reserved: 6 },
      { kind: 'expiry', sku: A, onHand: 0, reserved: -6 },
      { kind: 'sale', sku: A, onHand: -6, reserved: 0 },
    ])
    await assertBalanced(database)
  })
})

describe('inventory.release', () => {
  it('gives back what is kept, once, and lets nothing follow', async (t) => {
    const { fromOrders, calls, database } = await open(t)
    const lines = [{ sku: A, quantity: 3 }]
    await fromOrders.reserve({ orderId: 'o1', lines })
    await Promise.all([1, 2, 3].map(() => fromOrders.release({ orderId: 'o1', reason: 'declined' })))
    const { onHand, reserved } = await calls.stock({ sku: A })
    assert.deepEqual([onHand, reserved], [10, 0])
    await assert.rejects(fromOrders.reserve({ orderId: 'o1', lines }), ended)
    await assert.rejects(fromOrders.commit({ orderId: 'o1' }), ended)
    const released = `select actor, cause from movement where kind = 'release'`
    assert.deepEqual(await database.ask(released), [{ actor: 'orders', cause: 'declined' }])
    await assertBalanced(database)
  })

  it('brings back what was sold, once', async (t) => {
    const { fromOrders, calls, database } = await open(t)
    await fromOrders.reserve({ orderId: 'o1', lines: [{ sku: A, quantity: 3 }] })
    await fromOrders.commit({ orderId: 'o1' })
    await Promise.all([1, 2, 3].map(() => fromOrders.release({ orderId: 'o1', reason: 'cancelled' })))
    const { onHand, reserved } = await calls.stock({ sku: A })
    assert.deepEqual([onHand, reserved], [10, 0])
    const kinds = await database.ask(`select kind from movement where order_id = 'o1' order by version`)
    assert.deepEqual(kinds, [{ kind: 'reservation' }, { kind: 'sale' }, { kind: 'cancellation' }])
    await assertBalanced(database)
  })

  it('refuses a reservation that arrives after it', async (t) => {
    const { fromOrders, calls, database } = await open(t)
    await fromOrders.release({ orderId: 'o1', reason: 'given up' })
    await fromOrders.release({ orderId: 'o1', reason: 'given up' })
    await assert.rejects(fromOrders.reserve({ orderId: 'o1', lines: [{ sku: A, quantity: 1 }] }), ended)
    assert.equal((await calls.stock({ sku: A })).reserved, 0)
    assert.deepEqual((await fromOrders.reservation({ orderId: 'o1' })).lines, [])
    await assertBalanced(database)
  })

  it('closes an expired one, so that it is never committed', async (t) => {
    const opened = await open(t, SWEEPS)
    const { fromOrders, database } = opened
    await fromOrders.reserve({ orderId: 'o1', lines: [{ sku: A, quantity: 1 }] })
    await expireAndSee(opened, 'o1')
    await fromOrders.release({ orderId: 'o1', reason: 'given up' })
    await assert.rejects(fromOrders.commit({ orderId: 'o1' }), ended)
    await assertBalanced(database)
  })

  it('leaves nothing kept, whichever comes first of it and the reservation', async (t) => {
    const { fromOrders, calls, database } = await open(t)
    const orders = Array.from({ length: 20 }, (_, index) => `o${index}`)
    await Promise.all(
      orders.flatMap((orderId) => [
        fromOrders.reserve({ orderId, lines: [{ sku: A, quantity: 1 }] }).catch(reasonOf),
        fromOrders.release({ orderId, reason: 'given up' }),
      ]),
    )
    assert.equal((await calls.stock({ sku: A })).available, 10)
    await assertBalanced(database)
  })
})

describe('reservations at the same time', () => {
  it('get ten of ten, when fifty want one', async (t) => {
    const { fromOrders, calls, database } = await open(t)
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        fromOrders.reserve({ orderId: `o${index}`, lines: [{ sku: A, quantity: 1 }] }).catch(reasonOf),
      ),
    )
    assert.equal(outcomes.filter((outcome) => outcome === 'out_of_stock').length, 40)
    assert.deepEqual(await calls.stock({ sku: A }), {
      sku: A,
      onHand: 10,
      reserved: 10,
      available: 0,
      version: 11,
    })
    await assertBalanced(database)
  })

  it('never wait for each other in a circle, in whatever order they name the SKUs', async (t) => {
    const { fromOrders, calls, database } = await open(t)
    const skus = ['A-1', 'B-1', 'C-1', 'D-1', 'E-1']
    for (const sku of skus) await calls.setStock({ sku, onHand: 1_000 })
    const before = await deadlocks(database)
    const rounds = Array.from({ length: 60 }, (_, index) => index)
    const order = async (index: number): Promise<void> => {
      const names = index % 2 === 0 ? skus : skus.toReversed()
      const orderId = `o${index}`
      await fromOrders.reserve({ orderId, lines: names.map((sku) => ({ sku, quantity: 1 })) })
      if (index % 3 === 0) await fromOrders.commit({ orderId })
      else await fromOrders.release({ orderId, reason: 'given up' })
    }
    await Promise.all(rounds.map(order))
    assert.equal(await deadlocks(database), before)
    for (const sku of skus) assert.equal((await calls.stock({ sku })).onHand, 980)
    await assertBalanced(database)
  })

  it('have one winner of expiry, commit and release', async (t) => {
    const { fromOrders, calls, database } = await open(t, SWEEPS)
    const orders = Array.from({ length: 40 }, (_, index) => `o${index}`)
    await calls.setStock({ sku: A, onHand: orders.length })
    for (const orderId of orders) await fromOrders.reserve({ orderId, lines: [{ sku: A, quantity: 1 }] })
    const all = orders.map(async (orderId, index) => {
      await expire(database, orderId)
      const outcome = await fromOrders.commit({ orderId }).catch(reasonOf)
      // Somebody else is after what expires.
      await fromOrders.reserve({ orderId: `x${index}`, lines: [{ sku: A, quantity: 1 }] }).catch(reasonOf)
      return outcome
    })
    const released = orders
      .filter((_, index) => index % 2 === 0)
      .map((orderId) => fromOrders.release({ orderId, reason: 'given up' }))
    const outcomes = await Promise.all(all)
    await Promise.all(released)
    await assertBalanced(database)
    const states = await database.ask<{ state: string; on_hand: number; reserved: number }>(`
      select state, coalesce(sum(on_hand_delta), 0)::int as on_hand, coalesce(sum(reserved_delta), 0)::int as reserved
      from reservation left join movement using (order_id) where order_id like 'o%' group by order_id`)
    for (const { state, on_hand, reserved } of states) {
      if (state === 'committed') assert.deepEqual([on_hand, reserved], [-1, 0])
      else assert.deepEqual([state !== 'active', on_hand, reserved], [true, 0, 0])
    }
    assert.equal(states.length, orders.length)
    assert.ok(outcomes.every((outcome) => typeof outcome === 'object' || /ended|stock/.test(outcome)))
  })
})

describe('expireReservations', () => {
  it('passes over what somebody else is ending', async (t) => {
    const { fromOrders, database } = await open(t)
    await fromOrders.reserve({ orderId: 'o1', lines: [{ sku: A, quantity: 1 }] })
    await expire(database, 'o1')
    const session = database.open().session(testCall())
    let isThrough = false
    const expiring = await session.transaction(async (tx) => {
      await endReservation(tx, 'o1', 'active', 'committed')
      const expired = session.transaction((other) => expireReservations(other, 10))
      expired.finally(() => {
        isThrough = true
      })
      await until('it is through, or waits for the other', async () => {
        const waiting = await database.ask(`select from pg_stat_activity
          where wait_event_type = 'Lock'`)
        return isThrough || waiting.length > 0
      })
      return { expired }
    })
    assert.deepEqual(await expiring.expired, [])
    assert.deepEqual(await database.ask('select state from reservation'), [{ state: 'committed' }])
  })
})

describe('the background task', () => {
  it('ends whatever has expired, many at a time, and nothing else', async (t) => {
    const { fromOrders, calls, database } = await open(t, SWEEPS)
    await calls.setStock({ sku: A, onHand: 200 })
    const orders = Array.from({ length: 120 }, (_, index) => `o${index}`)
    const lines = [{ sku: A, quantity: 1 }]
    await Promise.all(orders.map((orderId) => fromOrders.reserve({ orderId, lines })))
    await fromOrders.reserve({ orderId: 'kept', lines })
    await database.ask(`update reservation set expires_at = now() where order_id <> 'kept'`)
    await until('all are gone', async () => (await calls.stock({ sku: A })).reserved === 1)
    const states = await database.ask('select state, count(*)::int from reservation group by 1 order by 1')
    assert.deepEqual(states, [
      { state: 'active', count: 1 },
      { state: 'expired', count: 120 },
    ])
    await assertBalanced(database)
  })

  it('goes by the clock of the database', async (t) => {
    const { fromOrders, calls } = await open(t, SWEEPS)
    await fromOrders.reserve({ orderId: 'o1', lines: [{ sku: A, quantity: 1 }], ttlS: 1 })
    await until('it has expired', async () => (await calls.stock({ sku: A })).reserved === 0)
  })
})

function reasonOf(error: unknown): string {
  if (isFlotillaError(error) && error.reason !== undefined) return error.reason
  throw error
}

/** How often the server had to end a transaction of this database, as seen from a new look at its figures. */
async function deadlocks({ ask }: TestDatabase): Promise<number> {
  const [row] = await ask<{ deadlocks: number }>(
    'select deadlocks::int from pg_stat_database where datname = current_database()',
  )
  return row?.deadlocks ?? -1
}
