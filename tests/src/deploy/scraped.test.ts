/** A real Prometheus beside a real system, with what deploy/ has for it: it finds all processes, and everything that is asked is answered. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import { type Bed, root, run } from '../flotilla-process.ts'
import { openOnce } from '../open-once.ts'
import { openShop, type Shop } from '../placements.ts'
import { dashboardQueries } from './dashboards.ts'
import { isWithoutPrometheus, openPrometheus, type Prometheus, type ScrapedTarget } from './prometheus.ts'

const RULES = join(root, 'deploy/prometheus/rules.yml')
const SKU = 'KIT-0001'
const address = { name: 'Ann', line1: 'Street 1', postcode: '01234', city: 'Town', country: 'DE' }

/** What has nothing to tell after two orders that went well, by a part of the question, and why. */
const EMPTY: readonly (readonly [part: string, why: string])[] = [
  ['status=~"4.."', 'nothing was refused'],
  ['status=~"5.."', 'nothing failed'],
  ['code=~"unknown', 'nothing failed'],
  ['flotilla_saga_steps_total{saga="checkout",outcome="refused"}', 'no step was refused'],
  ['flotilla_saga_steps_total{saga=~"cancel|refund"', 'nothing was cancelled'],
  ['shop_orders_cancelled_business_total', 'nothing was cancelled'],
  ['shop_refunds_business_total', 'nothing was given back'],
  ['shop_payments_declined_business_total', 'no payment was declined'],
  ['flotilla_outside_requests_total{code="unavailable"}', 'nothing failed'],
  ['flotilla_gateway_waiting_room_total', 'nobody waits for a sale to begin'],
  ['flotilla_gateway_certificate_expires_seconds', 'the gateway speaks without TLS'],
  ['flotilla_policies_refused', 'there is no file of policies'],
  ['flotilla_alert_messages_total', 'nobody is to be told of alerts'],
  ['flotilla_server_queued', 'nothing stands in line'],
  ['flotilla_server_refused_total', 'nothing is too much'],
  ['flotilla_client_decisions_total', 'nothing had to be tried again'],
  ['code="unavailable"', 'whoever was asked has answered'],
  ['shop_orders_cancelled_business_total', 'no order came to nothing'],
  ['shop_refunds_business_total', 'nothing was given back'],
  ['shop_payments_declined_business_total', 'nothing was declined'],
]
/** An operation that a question is about, and of what. */
const OPERATION = /(\w+)\{operation="([\w.]+)"/g

interface Seen {
  readonly shop: Shop
  readonly bed: Bed
  readonly prometheus: Prometheus
  /** The control API, with its token. */
  control<T>(operation: string, input: object): Promise<T>
}

async function open(t: { after(cleanUp: () => Promise<void>): void }): Promise<Seen> {
  const shop = await openShop(t, 'fleet')
  const bed = shop.bed as Bed
  // What is counted first is in no rate.
  await order(shop)
  const { url, token } = JSON.parse(readFileSync(join(bed.folder, 'control.json'), 'utf8'))
  const prometheus = await openPrometheus(t, url)
  const control: Seen['control'] = async (operation, input) => {
    const answer = await fetch(`${url}/operations/${operation}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(input),
    })
    const text = await answer.text()
    assert.equal(answer.status, 200, text)
    return JSON.parse(text)
  }
  return { shop, bed, prometheus, control }
}

/** Places an order and waits until it is shipped. */
async function order(shop: Shop): Promise<void> {
  const { id, token } = await shop.register('ann')
  await shop.api(`/cart/items/${SKU}`, { token, method: 'PUT', body: { quantity: 1 } })
  const placed = await shop.api('/orders', {
    token,
    body: { shippingAddress: address, paymentToken: 'tok_ok' },
    headers: { 'idempotency-key': id, prefer: 'wait=20' },
  })
  assert.equal(placed.status, 201, placed.text)
  const shipments = `/shipments?orderId=${placed.body.id}`
  await until('it is shipped', async () => (await shop.api(shipments, { token })).body.items.length === 1)
}

/** What the dashboards ask and get nothing for, though an order leaves some. */
async function unanswered(prometheus: Prometheus): Promise<readonly string[]> {
  const empty: string[] = []
  for (const { where, expr } of dashboardQueries()) {
    const isMeant = !expr.includes('or vector(0)') && EMPTY.some(([part]) => expr.includes(part))
    if (isMeant) continue
    const asked = expr.replaceAll('$__rate_interval', '1m').replaceAll('$service', 'orders')
    if ((await prometheus.query(asked)).length === 0) empty.push(`${where}: ${expr}`)
  }
  return empty
}

/** Names of all processes, and that each is asked without an error. */
async function untilAllUp({ prometheus, bed }: Seen): Promise<readonly ScrapedTarget[]> {
  const { output } = await run(bed, 'ps', '--json')
  const wanted = (JSON.parse(output) as { readonly name: string }[]).map(({ name }) => name).sort()
  assert.ok(wanted.includes('control'))
  let targets: readonly ScrapedTarget[] = []
  const told = (): readonly string[] => targets.map(({ labels }) => labels['process'] ?? '').sort()
  await until('every process is asked, and answers', async () => {
    targets = await prometheus.targets()
    return told().join() === wanted.join() && targets.every(({ health }) => health === 'up')
  }).catch(() => assert.deepEqual([told(), targets.filter(({ health }) => health !== 'up')], [wanted, []]))
  assert.deepEqual(
    targets.map(({ lastError }) => lastError).filter((error) => error !== ''),
    [],
  )
  return targets
}

const sum = (samples: readonly { readonly value: readonly [number, string] }[]): number =>
  samples.reduce((total, { value }) => total + Number(value[1]), 0)

describe('a Prometheus with deploy/prometheus', { skip: isWithoutPrometheus }, () => {
  const seen = openOnce(open)

  it('asks every process, and has no complaint of what they show', async () => {
    await untilAllUp(seen())
    assert.equal(sum(await seen().prometheus.query('count(up{job="flotilla"} == 0) or vector(0)')), 0)
    assert.equal(seen().prometheus.complaints(), '')
  })

  it('answers all that the dashboards ask, with data where an order leaves some', async () => {
    const { shop, prometheus } = seen()
    await order(shop)
    let empty: readonly string[] = []
    const look = async (): Promise<boolean> => {
      empty = await unanswered(prometheus)
      return empty.length === 0
    }
    // A rate takes two looks at a process.
    await until('every process was asked again', look).catch(() => assert.deepEqual(empty, []))
  })

  it('has what dashboards and rules name of an operation', async () => {
    const { prometheus } = seen()
    const asked = dashboardQueries().map(({ expr }) => expr)
    const named = [readFileSync(RULES, 'utf8'), ...asked].flatMap((text) => [...text.matchAll(OPERATION)])
    const selectors = new Set(named.map(([, metric, operation]) => `${metric}{operation="${operation}"}`))
    assert.ok(selectors.size > 0)
    const unknown: string[] = []
    for (const selector of selectors)
      if ((await prometheus.query(selector)).length === 0) unknown.push(selector)
    assert.deepEqual(unknown, [])
  })

  it('evaluates every rule', async () => {
    const { prometheus } = seen()
    interface Rules {
      readonly groups: readonly {
        readonly rules: readonly {
          readonly name: string
          readonly health: string
          readonly lastError?: string
          readonly state: string
        }[]
      }[]
    }
    const rules = async () =>
      (await prometheus.ask<Rules>('rules')).groups.flatMap((group) => [...group.rules])
    await until('each was looked at', async () => (await rules()).every(({ health }) => health !== 'unknown'))
    const all = await rules()
    const shipped = readFileSync(RULES, 'utf8').match(/- alert: /g)
    assert.equal(all.length, shipped?.length)
    assert.deepEqual(
      all.flatMap(({ name, health, lastError }) => (health === 'ok' ? [] : [`${name}: ${lastError}`])),
      [],
    )
    // Nothing is wrong with what is there.
    const absent = all.filter(({ name }) => ['no_instance', 'nothing_heard'].includes(name))
    assert.deepEqual(
      absent.map(({ name, state }) => [name, state]),
      [
        ['no_instance', 'inactive'],
        ['nothing_heard', 'inactive'],
      ],
    )
  })

  it('tells the same quantile of the same requests as the console', async () => {
    const { shop, prometheus, control } = seen()
    const name = 'flotilla_gateway_duration_seconds'
    const labels = '{operation="catalog.products"}'
    interface Answer {
      readonly items: readonly { readonly points: readonly (readonly [number, number])[] }[]
    }
    const console = async (more: object): Promise<number> => {
      const { items } = await control<Answer>('observe.series', {
        where: 'operation=catalog.products',
        stepMs: 1e13,
        by: 'operation',
        ...more,
      })
      return items[0]?.points.at(-1)?.[1] ?? 0
    }
    const counts = async (): Promise<readonly number[]> =>
      Promise.all([
        prometheus.query(`sum(${name}_count${labels})`).then(sum),
        console({ name: `${name}_count`, as: 'value' }),
      ])
    const ask = async (limit: number): Promise<void> => {
      assert.equal((await shop.api(`/products?limit=${limit}`)).status, 200)
    }
    await ask(1)
    // The console asks each five seconds.
    const isSame = async (): Promise<boolean> => {
      const [theirs = 0, ours] = await counts()
      return theirs > 0 && theirs === ours
    }
    await until('both know of the metric', isSame)
    const [before = 0] = await counts()
    const fromMs = Date.now()
    // Each page is new at its first time, and kept by the gateway from then on.
    for (let n = 0; n < 120; n++) await ask(1 + (n % 60))
    await until('both have counted them', async () => (await counts()).every((one) => one === before + 120))
    const since = `${name}_bucket${labels} - ${name}_bucket${labels} @ ${fromMs / 1_000}`
    for (const quantile of [0.5, 0.95]) {
      const theirs = sum(await prometheus.query(`histogram_quantile(${quantile}, sum by (le) (${since}))`))
      const ours = await console({ name, as: 'quantile', quantile, fromMs })
      assert.ok(theirs > 0, String(theirs))
      assert.ok(Math.abs(ours / theirs - 1) < 0.03, `${quantile}: ${theirs} and ${ours}`)
    }
  })

  it('follows processes that start again, and more of them', async () => {
    const { prometheus, bed, control } = seen()
    const urlOf = async (process: string): Promise<string | undefined> =>
      (await prometheus.targets()).find(({ labels }) => labels['process'] === process)?.scrapeUrl
    const before = await urlOf('cart-1')
    await control('control.restart', { process: 'cart-1' })
    const scaled = await run(bed, 'scale', 'search=2')
    assert.equal(scaled.exitCode, 0, scaled.errors)
    const targets = await untilAllUp(seen())
    assert.notEqual(await urlOf('cart-1'), before)
    assert.ok(targets.some(({ labels }) => labels['process'] === 'search-2'))
  })
})
