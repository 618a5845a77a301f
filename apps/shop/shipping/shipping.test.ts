import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { defineApp } from '@flotilla/core/app'
import type { Calls } from '@flotilla/core/calls'
import { defineContract } from '@flotilla/core/contract'
import { dumpSchema } from '@flotilla/core/schema-dump'
import { defineService } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import { openTestApp } from '@flotilla/core/test-app'
import { testCall } from '@flotilla/core/test-call'
import type { TestDatabase } from '@flotilla/core/test-database'
import type { Transaction } from '@flotilla/core/transaction'
import { until } from '@flotilla/core/until'
import fc from 'fast-check'
import { type Shipment, shipping } from '../contracts/shipping.ts'
import { shippingService } from './service.ts'
import { createShipment, deliver, pack, ship, stopShipments } from './shipment-store.ts'

/** The app's: built, this file lies in dist/shipping. */
const FOLDER = join(import.meta.dirname, '../..')
/** The carrier does nothing by itself. */
const STILL = { SHIPPING_PACK_MS: '86400000', SHIPPING_SHIP_MS: '86400000', SHIPPING_DELIVER_MS: '86400000' }
const AT_ONCE = {
  SHIPPING_PACK_MS: '0',
  SHIPPING_SHIP_MS: '0',
  SHIPPING_DELIVER_MS: '0',
  SHIPPING_CARRIER_MS: '10',
}
const RACES = 20

const address = { name: 'Ann', line1: 'Hill 1', postcode: '01067', city: 'Dresden', country: 'DE' }
const personOf = (id: string, role = 'customer') => ({ id, roles: [role], scopes: [], tier: 'free' })
const order = (orderId: string) => ({
  orderId,
  userId: 'ann',
  email: 'ann@shop.test',
  shippingAddress: address,
  lines: [
    { sku: 'A-1', quantity: 2 },
    { sku: 'B-1', quantity: 1 },
    { sku: 'A-1', quantity: 3 },
  ],
})

interface Opened {
  readonly database: TestDatabase
  /** As the buyer. */
  readonly mine: Calls<typeof shipping>
  readonly foreign: Calls<typeof shipping>
  readonly admin: Calls<typeof shipping>
  readonly fromOrders: Calls<typeof shipping>
  transaction<T>(work: (tx: Transaction) => Promise<T> | T): Promise<T>
  /** Status of the one shipment of an order. */
  statusOf(orderId: string): Promise<Shipment['status'] | undefined>
  /** What was published, in order: kind and order. */
  published(): Promise<string[]>
}

async function open(t: TestContext, environment: Readonly<Record<string, string>> = STILL): Promise<Opened> {
  const orders = defineContract({ name: 'orders', version: 1, summary: '', operations: {} })
  const { call, databases } = await openTestApp(t, {
    app: defineApp({
      name: 'shipping test',
      folder: FOLDER,
      services: {
        shipping: async () => shippingService,
        orders: async () => defineService({ contract: orders, open: () => ({}) }),
      },
    }),
    placement: 'one process',
    environment,
  })
  const database = databases.get('shipping') as TestDatabase
  const opened = database.open()
  return {
    database,
    mine: call(shipping, { user: personOf('ann') }),
    foreign: call(shipping, { user: personOf('ben') }),
    admin: call(shipping, { user: personOf('the-admin', 'admin') }),
    fromOrders: call(shipping, { service: 'orders' }),
    transaction: (work) => opened.session(testCall()).transaction(work),
    async statusOf(orderId) {
      const rows = await database.ask<Pick<Shipment, 'status'>>(
        'select status from shipment where order_id = $1',
        [orderId],
      )
      return rows[0]?.status
    },
    async published() {
      const rows = await database.ask<{ told: string }>(
        `select (event ->> 'type') || ' ' || (event ->> 'key') as told from flotilla.outbox order by id`,
      )
      return rows.map(({ told }) => told)
    },
  }
}

describe('the schema of shipping', () => {
  it('is what schema.sql says', async (t) => {
    const { database } = await open(t)
    const path = join(FOLDER, 'shipping/schema.sql')
    const dump = await dumpSchema(database.open().session(testCall()), ['public'])
    if (process.env['FLOTILLA_UPDATE'] === '1') await writeFile(path, dump)
    assert.equal(await readFile(path, 'utf8'), dump)
  })
})

describe('quotes', () => {
  it('are kept for the order, with what they were made for', async (t) => {
    const { mine, fromOrders } = await open(t)
    const { quotes } = await mine.quote({ address, subtotal: { amount: 1_000, currency: 'EUR' } })
    assert.deepEqual(
      quotes.map(({ method, price }) => [method, price.amount]),
      [
        ['standard', 490],
        ['express', 1_190],
      ],
    )
    const [quote] = quotes
    assert.deepEqual(await fromOrders.quoted({ quoteId: quote?.id ?? '' }), {
      ...quote,
      userId: 'ann',
      country: 'DE',
      postcode: '01067',
      subtotal: { amount: 1_000, currency: 'EUR' },
    })
  })

  it('expire by the database’s clock, and are for orders only', async (t) => {
    const { mine, fromOrders, database } = await open(t)
    const { quotes } = await mine.quote({ address, subtotal: { amount: 1_000, currency: 'EUR' } })
    const quoteId = quotes[0]?.id ?? ''
    await assert.rejects(mine.quoted({ quoteId }), { code: 'permission_denied' })
    await assert.rejects(fromOrders.quoted({ quoteId: 'nothing' }), { reason: 'no_quote' })
    const [row] = await database.ask<{ s: number }>(
      'select extract(epoch from expires_at - now())::integer as s from quote limit 1',
    )
    assert.ok((row?.s ?? 0) > 1_700 && (row?.s ?? 0) <= 1_800)
    await database.ask('update quote set expires_at = now()')
    await assert.rejects(fromOrders.quoted({ quoteId }), { reason: 'quote_expired', status: 409 })
  })

  it('are in euros', async (t) => {
    const { mine } = await open(t)
    const quote = mine.quote({ address, subtotal: { amount: 1_000, currency: 'JPY' } })
    await assert.rejects(quote, { reason: 'no_rate' })
  })
})

describe('shipments', () => {
  it('are made once an order, with everything in it, for its owner to see', async (t) => {
    const { mine, foreign, transaction } = await open(t)
    for (let times = 0; times < 3; times++) await transaction((tx) => createShipment(tx, order('o1')))
    const { items } = await mine.shipments({ orderId: 'o1' })
    const [shipment] = items
    assert.equal(items.length, 1)
    assert.deepEqual(shipment?.lines, [
      { sku: 'A-1', quantity: 5 },
      { sku: 'B-1', quantity: 1 },
    ])
    assert.deepEqual(shipment?.address, address)
    const id = shipment?.id ?? ''
    assert.deepEqual(await mine.shipment({ id }), shipment)
    await assert.rejects(foreign.shipment({ id }), { code: 'not_found', reason: 'no_shipment' })
    assert.deepEqual(await foreign.shipments({ orderId: 'o1' }), { items: [] })
    await assert.rejects(mine.ship({ id }), { code: 'permission_denied' })
  })

  it('are moved by admins, each step once, and told of', async (t) => {
    const { mine, admin, transaction, published } = await open(t)
    await transaction((tx) => createShipment(tx, order('o1')))
    const { items } = await mine.shipments({ orderId: 'o1' })
    const id = items[0]?.id ?? ''
    await assert.rejects(admin.deliver({ id }), { reason: 'wrong_state', status: 409 })
    await assert.rejects(admin.ship({ id: 'nothing' }), { reason: 'no_shipment' })
    assert.equal((await admin.pack({ id })).status, 'packed')
    const shipped = await admin.ship({ id })
    assert.equal(shipped.status, 'shipped')
    assert.match(shipped.trackingNumber ?? '', /^FL[0-9A-F]{14}$/)
    assert.deepEqual(await admin.ship({ id }), shipped, 'a repeat')
    assert.deepEqual(await admin.pack({ id }), shipped, 'is further than that')
    assert.equal((await admin.deliver({ id })).status, 'delivered')
    assert.deepEqual(await published(), ['shipping.shipped o1', 'shipping.delivered o1'])
  })

  it('are moved by the carrier when they were long enough where they are', async (t) => {
    const { database, transaction, statusOf } = await open(t)
    await transaction((tx) => createShipment(tx, order('o1')))
    assert.equal(await transaction((tx) => pack(tx, { afterMs: 60_000 })), 0)
    await database.ask(`update shipment set since = since - interval '1 minute'`)
    assert.equal(await transaction((tx) => pack(tx, { afterMs: 60_000 })), 1)
    assert.deepEqual(await transaction((tx) => ship(tx, { afterMs: 60_000 })), [])
    assert.equal(await statusOf('o1'), 'packed')
  })

  it('are each taken by one of many carriers', async (t) => {
    const { transaction } = await open(t)
    for (let index = 0; index < RACES; index++) {
      await transaction((tx) => createShipment(tx, order(`o${index}`)))
    }
    await transaction((tx) => pack(tx, { afterMs: 0 }))
    for (const act of [ship, deliver]) {
      const carriers = Array.from({ length: 4 }, () => transaction((tx) => act(tx, { afterMs: 0 })))
      const taken = (await Promise.all(carriers)).flat()
      // What one has in hand, the others pass over: so all of it is taken by the end of a round, once.
      assert.equal(taken.length, RACES)
      assert.equal(new Set(taken.map(({ orderId }) => orderId)).size, RACES)
    }
  })

  it('arrive by themselves, each told of once', async (t) => {
    const { transaction, statusOf, published } = await open(t, AT_ONCE)
    const ids = Array.from({ length: RACES }, (_, index) => `o${index}`)
    for (const id of ids) await transaction((tx) => createShipment(tx, order(id)))
    await until('all have arrived', async () => {
      return (await Promise.all(ids.map(statusOf))).every((status) => status === 'delivered')
    })
    const told = ids.flatMap((id) => [`shipping.shipped ${id}`, `shipping.delivered ${id}`])
    assert.deepEqual((await published()).toSorted(), told.toSorted())
  })
})

describe('shipping.stop', () => {
  it('keeps an order from being sent, also before there is a shipment', async (t) => {
    const { fromOrders, mine, admin, transaction, statusOf } = await open(t)
    await transaction((tx) => createShipment(tx, order('o1')))
    for (let times = 0; times < 2; times++) {
      assert.deepEqual(await fromOrders.stop({ orderId: 'o1' }), { stopped: true })
      assert.deepEqual(await fromOrders.stop({ orderId: 'o2' }), { stopped: true })
    }
    assert.equal(await statusOf('o1'), 'stopped')
    const { items } = await mine.shipments({ orderId: 'o1' })
    await assert.rejects(admin.ship({ id: items[0]?.id ?? '' }), { reason: 'wrong_state' })
    await transaction((tx) => createShipment(tx, order('o2')))
    assert.equal(await statusOf('o2'), undefined, 'is not made later')
    await assert.rejects(mine.stop({ orderId: 'o1' }), { code: 'permission_denied' })
  })

  it('comes too late when a parcel has left', async (t) => {
    const { fromOrders, transaction, statusOf } = await open(t)
    await transaction((tx) => createShipment(tx, order('o1')))
    await transaction((tx) => pack(tx, { afterMs: 0 }))
    await transaction((tx) => ship(tx, { afterMs: 0 }))
    assert.deepEqual(await fromOrders.stop({ orderId: 'o1' }), { stopped: false })
    assert.equal(await statusOf('o1'), 'shipped')
    await transaction((tx) => deliver(tx, { afterMs: 0 }))
    assert.deepEqual(await fromOrders.stop({ orderId: 'o1' }), { stopped: false })
  })

  it('stops all parcels of an order or none', async (t) => {
    const { database, fromOrders, transaction } = await open(t)
    for (const orderId of ['o1', 'o2']) {
      await transaction((tx) => createShipment(tx, order(orderId)))
      await database.ask(
        `insert into shipment (id, order_id, ordinal, user_id, email, address, status)
         select id || '-2', order_id, 2, user_id, email, address, status from shipment where order_id = $1`,
        [orderId],
      )
    }
    await database.ask(`update shipment set status = 'packed', since = now() - interval '1 hour'
      where order_id = 'o2' and ordinal = 1`)
    await transaction((tx) => ship(tx, { afterMs: 1_000 }))
    assert.deepEqual(await fromOrders.stop({ orderId: 'o1' }), { stopped: true })
    assert.deepEqual(await fromOrders.stop({ orderId: 'o2' }), { stopped: false })
    assert.deepEqual(await database.ask('select order_id, status from shipment order by order_id, ordinal'), [
      { order_id: 'o1', status: 'stopped' },
      { order_id: 'o1', status: 'stopped' },
      { order_id: 'o2', status: 'shipped' },
      { order_id: 'o2', status: 'pending' },
    ])
  })

  it('has one winner against shipping, every time', async (t) => {
    const { fromOrders, transaction, statusOf } = await open(t)
    for (let race = 0; race < RACES; race++) {
      const orderId = `o${race}`
      await transaction((tx) => createShipment(tx, order(orderId)))
      await transaction((tx) => pack(tx, { afterMs: 0 }))
      const leave = () => transaction((tx) => ship(tx, { afterMs: 0 }))
      const early = race % 2 === 0 ? leave() : undefined
      const stops = [fromOrders.stop({ orderId }), fromOrders.stop({ orderId })]
      const left = await (early ?? leave())
      const [first, second] = await Promise.all(stops)
      assert.equal(first?.stopped, second?.stopped)
      assert.equal(left.length, first?.stopped ? 0 : 1)
      assert.equal(await statusOf(orderId), first?.stopped ? 'stopped' : 'shipped')
    }
  })

  it('waits for a shipment that is being made', async (t) => {
    const { fromOrders, database, transaction, statusOf } = await open(t)
    let stopping: Promise<{ stopped: boolean }> | undefined
    await transaction(async (tx) => {
      createShipment(tx, order('o1'))
      // It is there once a later statement is answered.
      await tx.one(sql`select 1 as one`)
      stopping = fromOrders.stop({ orderId: 'o1' })
      await until('the stop waits', async () => {
        const waiting = await database.ask(`select from pg_stat_activity
          where wait_event_type = 'Lock'`)
        return waiting.length > 0
      })
    })
    assert.deepEqual(await stopping, { stopped: true })
    assert.equal(await statusOf('o1'), 'stopped')
  })
})

/** The legal moves of a shipment. */
const MOVES = {
  pack: { from: 'pending', to: 'packed' },
  ship: { from: 'packed', to: 'shipped' },
  deliver: { from: 'shipped', to: 'delivered' },
} as const
const movers = { pack, ship, deliver }

type Act = 'create' | 'stop' | keyof typeof MOVES
/** Status by order; `never`: stopped before there was a shipment. */
type Model = ReadonlyMap<string, string>

/** What becomes of the model. */
function after(model: Model, act: Act, orderId: string): Model {
  const status = model.get(orderId)
  if (act === 'create') return status === undefined ? new Map([...model, [orderId, 'pending']]) : model
  if (act === 'stop') {
    if (status === 'shipped' || status === 'delivered') return model
    return new Map([...model, [orderId, status === undefined || status === 'never' ? 'never' : 'stopped']])
  }
  const { from, to } = MOVES[act]
  return new Map([...model].map(([id, one]) => [id, one === from ? to : one]))
}

async function perform(tx: Transaction, act: Act, orderId: string): Promise<unknown> {
  if (act === 'create') return createShipment(tx, order(orderId))
  if (act === 'stop') return stopShipments(tx, orderId)
  return movers[act](tx, { afterMs: 0 })
}

describe('what shipping does', () => {
  it('is a legal history, whatever comes how often and in which order', async (t) => {
    const { database, transaction } = await open(t)
    const kinds: readonly Act[] = ['create', 'stop', 'pack', 'ship', 'deliver']
    const acts = fc.tuple(fc.constantFrom(...kinds), fc.constantFrom('o1', 'o2'))
    await fc.assert(
      fc.asyncProperty(fc.array(acts, { maxLength: 14 }), async (sequence) => {
        await database.ask('truncate fulfilment cascade')
        let model: Model = new Map()
        for (const [act, orderId] of sequence) {
          model = after(model, act, orderId)
          const answer = await transaction((tx) => perform(tx, act, orderId))
          const isStopped = ['stopped', 'never'].includes(model.get(orderId) ?? '')
          if (act === 'stop') assert.equal(answer, isStopped)
        }
        const rows = await database.ask<{ id: string; status: string }>(
          'select order_id as id, status from shipment',
        )
        const expected = [...model].filter(([, status]) => status !== 'never')
        assert.deepEqual(new Map(rows.map(({ id, status }) => [id, status])), new Map(expected))
      }),
      { numRuns: 40 },
    )
  })
})
