/**
 * The part `rows` of `growth.mjs`: the orders of the shop, asked for by their owners, with few orders in the database and with many.
 *
 * Each number of orders is a database and a process of its own. Half of the orders are of one user, of the others everybody has ten. Each
 * order is two events in its history and a row of the list, put there by SQL as the service would have. Those who ask are the same number
 * everywhere.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Signer } from '@flotilla/core/credentials'
import { sql } from '@flotilla/core/sql'
import { app } from '@flotilla/shop/app'
import { orders } from '@flotilla/shop/contracts/orders'
import { ask, ended, start } from './children.mjs'
import { createDatabases, openServer, withSession } from './databases.mjs'
import { judge, say, showTable, takeTurns } from './figures.mjs'
import {
  callContext,
  createKeys,
  credentialOf,
  hostEnvironment,
  openClient,
  ports,
  socketOf,
} from './hosts.mjs'
import { measure } from './measure.mjs'
import { spentUsOfTree } from './proc.mjs'

const ROWS = [100, 10_000, 100_000, 1_000_000]
const WARM_MS = 1_000
/** A user token is good for a minute. */
const TOKEN_MS = 30_000

const EACH = 10
const ASKERS = 5

/** What is asked, by whom. */
const QUERIES = {
  'one order': (by, { asker, order }) => by(asker).get({ id: order }),
  'orders of a user with ten': (by, { asker }) => by(asker).list({ limit: EACH }),
  'first page of a user with half of all': (by) => by('user-0').list({ limit: EACH }),
}

/** Measures. */
export async function measureRows({ durationMs, repeats, rowsMax }) {
  const counts = ROWS.filter((count) => count <= rowsMax)
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'))
  const keys = createKeys()
  const postgres = await openServer(folder)
  const children = []
  try {
    const systems = new Map()
    for (const count of counts) {
      say(`filling in ${count} orders`)
      const system = await openOrders(folder, keys, postgres, count)
      children.push(system.child)
      systems.set(count, system)
    }
    const figures = await takeTurns(counts, repeats, (count) =>
      measureOne(systems.get(count), keys, postgres, durationMs),
    )
    show(counts, figures)
  } finally {
    await Promise.all(children.map(ended))
    await postgres.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function show(counts, figures) {
  const [few, many] = [counts[0], counts.at(-1)]
  for (const title of Object.keys(QUERIES)) {
    const of = (count, field) => figures.median(`${count} ${title}`, field)
    showTable(
      [title, 'requests/s', 'p50 µs', 'p99 µs', 'CPU µs/request'],
      counts.map((count) => [
        `${count} orders`,
        of(count, 'perSec').toFixed(0),
        of(count, 'p50Us').toFixed(0),
        of(count, 'p99Us').toFixed(0),
        of(count, 'cpuUs').toFixed(0),
      ]),
    )
    for (const [what, field] of [
      ['p50', 'p50Us'],
      ['CPU', 'cpuUs'],
    ])
      judge(`${title}, ${what} with ${many} orders against ${few}`, of(many, field) / of(few, field), {
        atMost: 1.25,
      })
  }
}

/** The service of orders alone: whom it would call to place one is not asked here. */
async function openOrders(folder, keys, postgres, count) {
  const instance = `orders-${count}`
  const names = { orders: instance, events: `events-${count}` }
  const services = ['registry', 'events', 'orders']
  const databases = await createDatabases({ postgres, app, services: ['events', 'orders'], names })
  await fill(databases.FLOTILLA_DATABASE_ORDERS, count)
  const child = start('./host.mjs', { env: { NODE_ENV: 'production' } })
  const own = hostEnvironment({ folder, keys, instance, services })
  const environment = { ...databases, ...own, FLOTILLA_LOG_LEVEL: 'error' }
  await ask(child, { module: '@flotilla/shop/app', environment })
  const { client } = openClient({
    credential: credentialOf(keys, 'caller', ['caller']),
    instances: [{ instance, service: 'orders', path: socketOf(folder, instance) }],
  })
  return { child, client, count }
}

async function measureOne({ child, client, count }, keys, postgres, durationMs) {
  const by = callsBy(client, new Signer(keys.user.privateKey))
  const askers = askersOf(count)
  const spentUs = () => spentUsOfTree(child.pid) + spentUsOfTree(postgres.pid)
  const results = []
  for (const [title, query] of Object.entries(QUERIES)) {
    const askOne = () => query(by, askers[Math.floor(Math.random() * askers.length)])
    // Once by itself: a failure is told.
    await askOne()
    await measure(askOne, 1, WARM_MS)
    const before = spentUs()
    const figures = await measure(askOne, 1, durationMs)
    results.push([`${count} ${title}`, { ...figures, cpuUs: (spentUs() - before) / figures.calls }])
  }
  return results
}

/** Functions of the contract, as a user calls them. */
function callsBy(client, signer) {
  const callers = new Map()
  const callerOf = (id) => {
    const known = callers.get(id)
    if (known !== undefined && performance.now() - known.atMs < TOKEN_MS) return known.caller
    const user = { id, roles: ['user'], scopes: [], tier: 'premium' }
    const token = signer.user({ user, expiresAt: ports.clock.now() + 2 * TOKEN_MS })
    const caller = { user, token }
    callers.set(id, { caller, atMs: performance.now() })
    return caller
  }
  return (id) => client.calls(orders, callContext({ caller: callerOf(id) }), 'caller')
}

/** Some users with all of their orders, from the whole length of the table. */
function askersOf(count) {
  const users = count / 2 / EACH
  return Array.from({ length: ASKERS }, (_, index) => Math.floor((index * users) / ASKERS)).flatMap((user) =>
    Array.from({ length: EACH }, (_, index) => {
      return { asker: `user-${user + 1}`, order: `order-${(user * EACH + index) * 2 + 1}` }
    }),
  )
}

/** Orders 0, 2, 4 … are of user 0, ten of the others each of user 1, 2 …; a second lies between two. */
async function fill(url, count) {
  const orders = sql`
    select 'order-' || n as id, now() - (${count} - n) * interval '1 second' as at,
      case when n % 2 = 0 then 'user-0' else 'user-' || 1 + n / 2 / ${EACH}::int end as user_id
    from generate_series(0, ${count}::int - 1) as n`
  const money = (amount) => ({ amount, currency: 'EUR' })
  const line = {
    ...{ sku: 'AUD-0007', productId: 'product-7', name: 'Wireless headphones', quantity: 1 },
    ...{ unitPrice: money(12_900), lineTotal: money(12_900), discount: money(0), tax: money(2_060) },
  }
  const placed = {
    email: 'buyer@shop.test',
    lines: [line],
    totals: {
      ...{ subtotal: money(12_900), discount: money(0), shipping: money(490) },
      ...{ shippingTax: money(78), tax: money(2_138), total: money(13_390) },
    },
    shippingAddress: { name: 'A Buyer', line1: 'Street 1', postcode: '01234', city: 'Town', country: 'DE' },
    attemptId: 'attempt-1',
  }
  await withSession(url, async (session) => {
    await session.execute(sql`
      insert into "order"
        (id, user_id, cart_id, status, payment_status, fulfilment_status, total, currency, placed_at, version)
      select id, user_id, 'cart-' || id, 'confirmed', 'processing', 'unfulfilled', 13390, 'EUR', at, 2
      from (${orders}) as it`)
    await session.execute(sql`
      insert into flotilla.aggregate_event (aggregate, id, version, type, type_version, data, actor, cause, at)
      select 'order', id, version, type, 1,
        case version when 1
          then (${sql.json(placed)}::jsonb || jsonb_build_object('userId', user_id, 'cartId', 'cart-' || id))::json
          else '{}' end,
        json_build_object('kind', 'user', 'id', user_id), 'bench', at
      from (${orders}) as it, (values (1, 'placed'), (2, 'confirmed')) as event (version, type)`)
    // What the server would do about it by itself, some time.
    await session.execute(sql`vacuum analyze`)
    await session.execute(sql`checkpoint`)
  })
}
