/**
 * `npm run bench -- orders`: whole orders through the shop, as a fleet (each service a process) and as a monolith, each service with a
 * database of its own, every commit on disk, the provider instant. Buyers take turns of two requests: fill the cart, order and wait for the decision.
 *
 * Latencies are taken from the histories of the orders, which the database's clock dates: from placed (the answer 202) to confirmed,
 * and to checked out (money taken, cart empty). CPU time is that of all processes of the system, without the buyers.
 *
 * @module
 */
import { sql } from '@flotilla/core/sql'
import { startFleet } from '@flotilla/tests/fleet'
import { pause } from './children.mjs'
import { withSession } from './databases.mjs'
import { judge, quantileOf, say, showTable, takeTurns } from './figures.mjs'
import { childrenOf, cpuOf, spentUsOf, titleOf } from './proc.mjs'

const PLACEMENTS = ['fleet', 'monolith']
const BUYERS = '1,8,32'
const WARM_MS = 3_000
/** Products of which there is plenty; that many, so that buyers seldom meet at one. */
const WARES = 60
/** For each buyer: a cart is emptied a moment after its order is confirmed, and until then it cannot be ordered again. */
const ACCOUNTS = 4
const ADDRESS = { name: 'A Buyer', line1: 'Street 1', postcode: '01234', city: 'Town', country: 'DE' }

/** Measures, with so many buyers at a time; parcels move long after. Both systems run at the same time, one of them idle. */
export async function measureOrders({ seconds, repeats, only = BUYERS }) {
  const counts = only.split(',').map(Number)
  const cleanUps = []
  try {
    const systems = new Map()
    for (const placement of PLACEMENTS) {
      say(`starting the ${placement}`)
      systems.set(placement, await openShop(cleanUps, placement, Math.max(...counts)))
    }
    const turns = counts.flatMap((count) => PLACEMENTS.map((placement) => `${placement}, ${count} buyers`))
    const parts = new Map()
    const figures = await takeTurns(turns, repeats, async (turn) => {
      const [placement, count] = turn.split(/, | buyers/)
      const { cpu, ...result } = await measure(systems.get(placement), Number(count), seconds)
      parts.set(turn, cpu)
      return [[turn, result]]
    })
    show(turns, counts, figures, parts)
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp()
  }
}

function show(turns, counts, figures, parts) {
  const told = [
    'perSec',
    'confirmedP50',
    'confirmedP99',
    'completedP50',
    'completedP99',
    'waitP50',
    'waitP99',
    'cpuMs',
  ]
  showTable(
    [
      'placement',
      ...[
        'orders/s',
        'confirmed p50 ms',
        'p99',
        'checked out p50 ms',
        'p99',
        '201 p50 ms',
        'p99',
        'CPU ms/order',
      ],
    ],
    turns.map((turn) => [
      turn,
      ...told.map((field) => figures.median(turn, field).toFixed(field === 'perSec' ? 1 : 0)),
    ]),
  )
  console.log('CPU ms per order, of the last repeat:')
  for (const [turn, cpu] of parts)
    console.log(`  ${turn}: ${cpu.map(([name, ms]) => `${name} ${ms.toFixed(1)}`).join(', ')}`)
  const ratio = (count, field) =>
    figures.median(`fleet, ${count} buyers`, field) / figures.median(`monolith, ${count} buyers`, field)
  for (const count of counts) {
    judge(`CPU per order, fleet against monolith, ${count} buyers`, ratio(count, 'cpuMs'), { atMost: 2 })
    judge(`p50 to confirmed, fleet against monolith, ${count} buyers`, ratio(count, 'confirmedP50'), {
      atMost: 2,
    })
  }
}

/** A shop with buyers who have accounts, and goods enough; `more` are environment variables. */
export async function openShop(cleanUps, placement, buyersMax, more = { FLOTILLA_LOG_LEVEL: 'warn' }) {
  const environment = { SHIPPING_PACK_MS: '600000', ...more }
  const shop = await startFleet(
    { after: (cleanUp) => cleanUps.push(cleanUp) },
    { placement, provider: 'instant', environment },
  )
  const admin = await shop.login(shop.admin.email, shop.admin.password)
  const { body } = await shop.api(`/products?limit=${WARES}`)
  const skus = body.items.map(({ sku }) => sku)
  for (const sku of skus) {
    const counted = { method: 'PUT', body: { onHand: 1_000_000 }, token: admin.token }
    expect(200, await shop.api(`/stock/${sku}`, counted))
  }
  const accounts = []
  while (accounts.length < buyersMax * ACCOUNTS)
    accounts.push(await shop.register(`buyer-${accounts.length}`))
  return { shop, skus, accounts }
}

/** What so many buyers get in so long, after a while in which nothing is measured. */
export async function measure({ shop, skus, accounts }, count, seconds, warmMs = WARM_MS) {
  const stop = { isTold: false }
  const answered = []
  const buying = Promise.all(
    Array.from({ length: count }, (_, buyer) => {
      const own = accounts.slice(buyer * ACCOUNTS, (buyer + 1) * ACCOUNTS)
      return buy(shop.api, own, skus, stop, answered)
    }),
  )
  await Promise.race([buying, pause(warmMs)])
  const from = new Date()
  const before = spentBy(shop)
  const first = answered.length
  await Promise.race([buying, pause(seconds * 1_000)])
  const spent = spentBy(shop)
  const to = new Date()
  const waits = answered.slice(first).sort((a, b) => a - b)
  stop.isTold = true
  await buying
  const { confirmed, completed } = await latenciesOf(shop.urls.orders, from, to)
  const cpu = [...spent]
    .map(([name, ms]) => [name, (ms - (before.get(name) ?? 0)) / completed.length])
    .sort(([, a], [, b]) => b - a)
  return {
    perSec: completed.length / seconds,
    ...{ confirmedP50: quantileOf(confirmed, 0.5), confirmedP99: quantileOf(confirmed, 0.99) },
    ...{ completedP50: quantileOf(completed, 0.5), completedP99: quantileOf(completed, 0.99) },
    ...{ waitP50: quantileOf(waits, 0.5), waitP99: quantileOf(waits, 0.99) },
    cpuMs: cpu.reduce((sum, [, ms]) => sum + ms, 0),
    cpu,
  }
}

async function buy(api, accounts, skus, stop, answered) {
  for (let turn = 0; !stop.isTold; turn++) {
    const { token } = accounts[turn % accounts.length]
    const sku = skus[Math.floor(Math.random() * skus.length)]
    expect(200, await api('/cart/items', { token, body: { sku, quantity: 1 } }))
    const startMs = performance.now()
    const answer = await api('/orders', {
      token,
      headers: { 'idempotency-key': `${turn}-${startMs}`, prefer: 'wait=30' },
      body: { shippingAddress: ADDRESS, paymentToken: 'tok_ok' },
    })
    expect(201, answer)
    answered.push(performance.now() - startMs)
  }
}

function expect(status, answer) {
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${answer.text}`)
}

async function latenciesOf(url, from, to) {
  const since = (type) => sql`
    select extract(epoch from ended.at - placed.at)::float8 * 1000 as ms
    from flotilla.aggregate_event as placed join flotilla.aggregate_event as ended using (aggregate, id)
    where aggregate = 'order' and placed.type = 'placed' and ended.type = ${type}
      and ended.at between ${from.toISOString()}::timestamptz and ${to.toISOString()}::timestamptz
    order by 1`
  return withSession(url, async (session) => {
    const [confirmed, completed] = [
      await session.many(since('confirmed')),
      await session.many(since('checkedOut')),
    ].map((rows) => rows.map(({ ms }) => ms))
    return { confirmed, completed }
  })
}

/** Milliseconds of CPU time by what spent it; those of PostgreSQL's backends go to the database they serve, alive or ended. */
function spentBy(shop) {
  const spent = new Map()
  const add = (name, ms = 0) => spent.set(name, (spent.get(name) ?? 0) + ms)
  for (const { pid, name } of shop.processes()) add(name, spentUsOf(pid) / 1_000)
  add('supervisor', spentUsOf(shop.supervisor()?.pid) / 1_000)
  const postmaster = shop.postmaster()?.pid
  add('pg ended', cpuOf(postmaster)?.endedChildrenMs)
  for (const pid of [postmaster, ...childrenOf(postmaster)]) {
    const title = titleOf(pid)
    const name = /^postgres: shop_\w+ shop_(\w+) /.exec(title)?.[1]
    add(`pg ${name ?? title.replace(/^postgres: /, '')}`, cpuOf(pid)?.ownMs)
  }
  return spent
}
