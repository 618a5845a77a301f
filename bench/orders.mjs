/**
 * `npm run bench -- orders`: whole orders through the fleet of the shop, each service a process with a database of its own, every
 * commit on disk, the provider instant. Buyers take turns of two requests: fill the cart, order and wait for the decision.
 *
 * Latencies are taken from the histories of the orders, which the database's clock dates: from placed (the answer 202) to confirmed,
 * and to checked out (money taken, cart empty). CPU time is that of all processes of the fleet, without the buyers.
 *
 * @module
 */
import { sql } from '@flotilla/core/sql'
import { startFleet } from '@flotilla/tests/fleet'
import { pause } from './children.mjs'
import { withSession } from './databases.mjs'
import { quantileOf } from './figures.mjs'
import { childrenOf, cpuOf, titleOf } from './proc.mjs'

const BUYERS = '1,8,32'
const WARM_MS = 3_000
/** Products of which there is plenty; that many, so that buyers seldom meet at one. */
const WARES = 60
/** For each buyer: a cart is emptied a moment after its order is confirmed, and until then it cannot be ordered again. */
const ACCOUNTS = 4
const ADDRESS = { name: 'A Buyer', line1: 'Street 1', postcode: '01234', city: 'Town', country: 'DE' }

/** Measures, with so many buyers at a time; parcels move long after. */
export async function measureOrders({ seconds, repeats, only = BUYERS }) {
  const counts = only.split(',').map(Number)
  const cleanUps = []
  const environment = { SHIPPING_PACK_MS: '600000', FLOTILLA_LOG_LEVEL: 'warn' }
  try {
    const fleet = await startFleet(
      { after: (cleanUp) => cleanUps.push(cleanUp) },
      { placement: 'fleet', provider: 'instant', environment },
    )
    const admin = await fleet.login(fleet.admin.email, fleet.admin.password)
    const { body } = await fleet.api(`/products?limit=${WARES}`)
    const skus = body.items.map(({ sku }) => sku)
    for (const sku of skus) {
      const counted = { method: 'PUT', body: { onHand: 1_000_000 }, token: admin.token }
      expect(200, await fleet.api(`/stock/${sku}`, counted))
    }
    const buyers = []
    while (buyers.length < Math.max(...counts) * ACCOUNTS)
      buyers.push(await fleet.register(`buyer-${buyers.length}`))
    for (let repeat = 1; repeat <= repeats; repeat++) {
      console.log(`repeat ${repeat}`)
      for (const count of counts) {
        console.log(await measure(fleet, skus, buyers.slice(0, count * ACCOUNTS), seconds))
      }
    }
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp()
  }
}

async function measure(fleet, skus, accounts, seconds) {
  const stop = { isTold: false }
  const answered = []
  const buyers = []
  for (let at = 0; at < accounts.length; at += ACCOUNTS) buyers.push(accounts.slice(at, at + ACCOUNTS))
  const buying = Promise.all(buyers.map((buyer) => buy(fleet.api, buyer, skus, stop, answered)))
  await Promise.race([buying, pause(WARM_MS)])
  const from = new Date()
  const before = spentBy(fleet)
  const first = answered.length
  await Promise.race([buying, pause(seconds * 1_000)])
  const spent = spentBy(fleet)
  const to = new Date()
  const waits = answered.slice(first).sort((a, b) => a - b)
  stop.isTold = true
  await buying
  const { confirmed, completed, count } = await latenciesOf(fleet.urls.orders, from, to)
  const cpu = [...spent]
    .map(([name, ms]) => [name, (ms - (before.get(name) ?? 0)) / count])
    .sort(([, a], [, b]) => b - a)
  return [
    `  ${String(buyers.length).padStart(2)} buyers: ${(count / seconds).toFixed(1)} orders/s complete`,
    `     placed to confirmed p50 ${at(confirmed, 0.5)} ms, p99 ${at(confirmed, 0.99)} ms; to checked out p50 ${at(completed, 0.5)} ms, p99 ${at(completed, 0.99)} ms`,
    `     201 to one who waits: p50 ${at(waits, 0.5)} ms, p99 ${at(waits, 0.99)} ms`,
    `     CPU ms per order: ${cpu.reduce((sum, [, ms]) => sum + ms, 0).toFixed(0)}: ${cpu
      .map(([name, ms]) => `${name} ${ms.toFixed(1)}`)
      .join(', ')}`,
  ].join('\n')
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
    return { confirmed, completed, count: completed.length }
  })
}

/** Milliseconds of CPU time by what spent it; those of PostgreSQL's backends go to the database they serve, alive or ended. */
function spentBy(fleet) {
  const spent = new Map()
  const add = (name, ms = 0) => spent.set(name, (spent.get(name) ?? 0) + ms)
  for (const { pid, name } of fleet.processes()) add(name, cpuOf(pid)?.ownMs)
  add('supervisor', cpuOf(fleet.supervisor()?.pid)?.ownMs)
  const postmaster = fleet.postmaster()?.pid
  add('pg ended', cpuOf(postmaster)?.endedChildrenMs)
  for (const pid of [postmaster, ...childrenOf(postmaster)]) {
    const title = titleOf(pid)
    const name = /^postgres: shop_\w+ shop_(\w+) /.exec(title)?.[1]
    add(`pg ${name ?? title.replace(/^postgres: /, '')}`, cpuOf(pid)?.ownMs)
  }
  return spent
}

function at(sorted, share) {
  return Math.round(quantileOf(sorted, share))
}
