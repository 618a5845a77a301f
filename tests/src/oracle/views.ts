/**
 * 14: what is copied from elsewhere is what it is a copy of, and everybody was told once.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { sql } from '@flotilla/core/sql'
import { type OrderSeen, seeOrders, wasConfirmed } from './orders.ts'
import { type Check, Finding, type Found } from './report.ts'
import type { World } from './world.ts'

const VIEWS = '14 Views converge'

/** The checks. */
export const viewChecks: readonly Check[] = [
  {
    invariant: VIEWS,
    says: 'the list of orders is the fold of their events',
    holds: 'always',
    look: orderRows,
  },
  {
    invariant: VIEWS,
    says: 'search and recommendations know the catalog as it is',
    holds: 'settled',
    look: products,
  },
  {
    invariant: VIEWS,
    says: 'recommendations know what was bought, and what was cancelled',
    holds: 'settled',
    look: purchases,
  },
  {
    invariant: VIEWS,
    says: 'every order that was confirmed and not stopped has one parcel, of what was ordered',
    holds: 'settled',
    look: shipments,
  },
  { invariant: VIEWS, says: 'one mail for each occasion, and none without', holds: 'settled', look: mails },
]

async function orderRows(world: World): Promise<Found> {
  const finding = new Finding()
  const [rows, versions] = await world.read('orders', async (queries) => [
    await queries.many<Readonly<Record<string, unknown>> & { id: string }>(sql`
      select id, user_id as "userId", cart_id as "cartId", status, payment_status as payment, fulfilment_status as fulfilment,
        total, version from "order"`),
    // The same moment, other than that of `seeOrders`.
    await queries.many<{ id: string; version: number }>(sql`
      select id, max(version) as version from flotilla.aggregate_event where aggregate = 'order' group by id`),
  ])
  const seen = await seeOrders(world)
  const byId = new Map(rows.map((row) => [row.id, row]))
  for (const { id, version } of versions) {
    const row = byId.get(id)
    finding.expect(
      row?.['version'] === version,
      id,
      () => `version ${row?.['version']} is listed, it has ${version}`,
    )
    const order = seen.get(id)
    if (order === undefined || order.types.length !== version) continue
    const { status, payment, fulfilment, placed } = order
    const { userId, cartId, totals } = placed
    const wanted = { id, userId, cartId, status, payment, fulfilment, total: totals.total.amount, version }
    finding.expect(isDeepStrictEqual({ ...row }, wanted), id, () => `listed as ${JSON.stringify(row)}`)
  }
  if (rows.length !== versions.length)
    finding.wrong('list', `${rows.length} rows of ${versions.length} orders`)
  return finding
}

interface Content {
  readonly name: string
  readonly sku: string
  readonly category: string
  readonly price: { readonly amount: number; readonly currency: string }
}

async function products(world: World): Promise<Found> {
  const finding = new Finding()
  const rows = await world.rows<Content & { id: string; version: number; isShown: boolean }>(
    'catalog',
    sql`
      select id, version, sku, name, category, json_build_object('amount', price, 'currency', currency) as price,
        is_published and deleted_at is null as "isShown" from product`,
  )
  const entries = await world.rows<{ id: string; version: number; content: Content | null }>(
    'search',
    sql`select id, version, content from entry`,
  )
  const known = await world.rows<Content & { id: string; version: number; isShown: boolean }>(
    'recommendations',
    sql`
      select product_id as id, version, sku, name, category, is_shown as "isShown",
        json_build_object('amount', price, 'currency', currency) as price from product`,
  )
  const searched = new Map(entries.map((entry) => [entry.id, entry]))
  const recommended = new Map(known.map((one) => [one.id, one]))
  for (const { id, version, isShown, sku, name, category, price } of rows) {
    const wanted = isShown ? { sku, name, category, price } : null
    const pick = (one: Content): Content => {
      return { sku: one.sku, name: one.name, category: one.category, price: one.price }
    }
    const entry = searched.get(id)
    const found = entry?.content ? pick(entry.content) : null
    finding.expect(
      entry?.version === version && isDeepStrictEqual(found, wanted),
      id,
      () => `search has version ${entry?.version} of ${version}: ${JSON.stringify(found)}`,
    )
    const copy = recommended.get(id)
    finding.expect(
      copy?.version === version && (isShown ? isDeepStrictEqual(pick(copy), wanted) : !copy.isShown),
      id,
      () => `recommendations have version ${copy?.version} of ${version}`,
    )
  }
  return finding
}

async function purchases(world: World): Promise<Found> {
  const finding = new Finding()
  const bought = await world.rows<{ id: string; products: string[] }>(
    'recommendations',
    sql`select order_id as id, array_agg(product_id order by product_id collate "C") as products from purchase group by 1`,
  )
  const cancelled = await world.rows<{ id: string }>(
    'recommendations',
    sql`select order_id as id from cancelled_order`,
  )
  const known = new Map(bought.map(({ id, products: ids }) => [id, ids]))
  const gone = new Set(cancelled.map(({ id }) => id))
  for (const order of (await seeOrders(world)).values()) {
    const { id, placed, types } = order
    const wanted = wasConfirmed(order)
      ? [...new Set(placed.lines.map(({ productId }) => productId))].sort()
      : undefined
    finding.expect(
      isDeepStrictEqual(known.get(id), wanted),
      id,
      () => `bought ${wanted}, known ${known.get(id)}`,
    )
    const isCancelled = types.includes('cancelled') || types.includes('abandoned')
    finding.expect(
      gone.has(id) === isCancelled,
      id,
      'its cancellation is known, or not, unlike what happened',
    )
    known.delete(id)
  }
  for (const id of known.keys()) finding.wrong(id, 'a purchase that was none')
  return finding
}

async function shipments(world: World): Promise<Found> {
  const finding = new Finding()
  const rows = await world.rows<{
    id: string
    fate: string
    parcels: number
    lines: Record<string, number> | null
  }>(
    'shipping',
    sql`
      select order_id as id, fate, (select count(*) from shipment where shipment.order_id = fulfilment.order_id) as parcels,
        (select json_object_agg(sku, quantity) from (
          select sku, sum(quantity) as quantity from shipment_line join shipment on shipment.id = shipment_id
          where shipment.order_id = fulfilment.order_id group by sku) as line) as lines
      from fulfilment`,
  )
  const byOrder = new Map(rows.map((row) => [row.id, row]))
  for (const order of (await seeOrders(world)).values()) {
    const { id, placed, types } = order
    const row = byOrder.get(id)
    byOrder.delete(id)
    if (!wasConfirmed(order)) {
      finding.expect((row?.parcels ?? 0) === 0, id, 'a parcel of what was never confirmed')
      continue
    }
    const wanted: Record<string, number> = {}
    for (const { sku, quantity } of placed.lines) wanted[sku] = (wanted[sku] ?? 0) + quantity
    const isStopped = types.includes('cancelled')
    // One that was stopped before there was a parcel has none.
    const isRight =
      row?.parcels === 1 ? isDeepStrictEqual({ ...row.lines }, wanted) : isStopped && row?.parcels === 0
    finding.expect(isRight, id, () => `${row?.parcels} parcels with ${JSON.stringify(row?.lines)}`)
  }
  return finding
}

/** What is to be told of an order by mail, each as template and occasion. */
function occasionsOf({ id, types, refunds }: OrderSeen): readonly string[] {
  const once = (type: string, template = type): string[] =>
    types.includes(type) ? [`${template} ${id}`] : []
  const done = [...refunds].filter(([, { status }]) => status === 'done')
  return [
    ...once('confirmed'),
    ...once('rejected'),
    ...once('expired'),
    ...once('cancelled'),
    ...once('abandoned', 'cancelled'),
    ...done.map(([refundId]) => `refunded ${refundId}`),
  ]
}

async function mails(world: World): Promise<Found> {
  const finding = new Finding()
  const rows = await world.rows<{
    id: string
    order: string
    template: string
    occasion: string
    status: string
    to: string
  }>(
    'notifications',
    sql`
      select id, order_id as order, template, template || ' ' || about as occasion, status, recipient as to from mail`,
  )
  const received = await world.rows<{ id: string; order: string; template: string; to: string[] }>(
    'mailbox',
    sql`select message_id as id, order_id as order, template, recipients as to from message`,
  )
  const noted = new Map(rows.map((row) => [`${row.order} ${row.occasion}`, row]))
  for (const order of (await seeOrders(world)).values()) {
    for (const occasion of occasionsOf(order)) {
      const mail = noted.get(`${order.id} ${occasion}`)
      noted.delete(`${order.id} ${occasion}`)
      finding.expect(
        mail?.status === 'sent',
        order.id,
        () => `the mail ${occasion} is ${mail?.status ?? 'not noted'}`,
      )
      finding.expect(
        (mail?.to ?? order.placed.email) === order.placed.email,
        order.id,
        'a mail to somebody else',
      )
    }
  }
  for (const { order, occasion, template } of noted.values()) {
    if (template !== 'shipped' && template !== 'delivered')
      finding.wrong(order, `a mail ${occasion} without occasion`)
  }
  // As often as noted: a message that came twice under one id is one mail.
  const counts = new Map<string, number>()
  const add = (name: string, by: number): unknown => counts.set(name, (counts.get(name) ?? 0) + by)
  for (const { order, template, status } of rows) if (status === 'sent') add(`${order} ${template}`, 1)
  for (const { order, template } of received) add(`${order} ${template}`, -1)
  for (const [name, left] of counts) {
    finding.expect(
      left === 0,
      name,
      left > 0 ? 'a mail that is booked as sent and never came' : 'a mail came too often',
    )
  }
  return finding
}
