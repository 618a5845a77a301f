/** One order, told in the log: its id finds a line of every service that did something for it, and each line leads to a trace. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import { type Bed, run } from './flotilla-process.ts'
import { openShop, type Shop } from './placements.ts'

const SKU = 'KIT-0001'
const address = { name: 'Ann Lee', line1: 'Street 1', postcode: '01234', city: 'Town', country: 'DE' }
/** What a service writes, it has a part in. */
const WRITES = /^(?:INSERT|UPDATE|DELETE|COMMIT)\b/
/** Who has, at the least: what the trace has more of is held to the same. */
const SERVICES = [
  'cart',
  'coupons',
  'inventory',
  'notifications',
  'orders',
  'payments',
  'recommendations',
  'shipping',
]
/** Those outside keep no trace of ours, and hear of the order all the same. */
const OUTSIDE = ['provider', 'mailbox']

interface Line {
  readonly service: string
  readonly level: string
  readonly message: string
  readonly traceId?: string
  readonly fields: Readonly<Record<string, unknown>>
}

interface Span {
  readonly service: string
  readonly name: string
}

/** Asks the control API, as the console does. */
async function asker(bed: Bed): Promise<(operation: string, input: object) => Promise<Response>> {
  const { output } = await run(bed, 'console')
  const [origin = '', key = ''] = (output.split('\n', 1)[0] ?? '').split('/#key=')
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  return (operation, input) =>
    fetch(new URL(`/operations/observe.${operation}`, origin), {
      method: 'POST',
      headers,
      body: JSON.stringify(input),
    })
}

/** Orders with a coupon, and waits until it is on its way. */
async function order(
  shop: Shop,
): Promise<{ readonly id: string; readonly traceId: string; readonly email: string }> {
  const { token, email } = await shop.register('ann')
  await shop.api(`/cart/items/${SKU}`, { token, method: 'PUT', body: { quantity: 1 } })
  const placed = await shop.api('/orders', {
    token,
    body: { shippingAddress: address, paymentToken: 'tok_ok', couponCode: 'SAVE10' },
    headers: { 'idempotency-key': 'told', prefer: 'wait=20' },
  })
  assert.equal(placed.status, 201, placed.text)
  const [, traceId = ''] = (placed.headers.get('traceparent') ?? '').split('-')
  return { id: placed.body.id, traceId, email }
}

describe('the log lines of an order', () => {
  for (const placement of ['monolith', 'fleet'] as const) {
    it(`are found by its id, of each service that has a part in it, and say nothing of anybody: ${placement}`, async (t) => {
      const shop = await openShop(t, placement)
      const ask = await asker(shop.bed as Bed)
      const { id, traceId, email } = await order(shop)
      let lines: readonly Line[] = []
      const isTold = (service: string): boolean => lines.some((line) => line.service === service)
      let takePart: readonly string[] = []
      const missing = (): readonly string[] => [...takePart, ...OUTSIDE].filter((service) => !isTold(service))
      await until('all have told', async () => {
        const trace = await ask('trace', { traceId })
        const found = await ask('logs', { q: `order_id=${id}`, limit: 200 })
        if (!trace.ok || !found.ok) return false
        const { items } = (await trace.json()) as { items: readonly Span[] }
        takePart = [...new Set(items.flatMap(({ service, name }) => (WRITES.test(name) ? [service] : [])))]
        lines = ((await found.json()) as { items: readonly Line[] }).items
        return SERVICES.every((one) => takePart.includes(one)) && missing().length === 0
      }).catch(() => assert.deepEqual({ missing: missing(), takePart }, { missing: [], takePart: SERVICES }))
      assert.ok(isTold('gateway'))
      for (const { service, level, message, traceId: its } of lines) {
        assert.equal(level, 'info', message)
        assert.ok(
          its === traceId || OUTSIDE.includes(service) || message === 'mail sent',
          `${service}: ${message}`,
        )
      }
      const said = JSON.stringify(lines)
      for (const secret of [email, 'Ann Lee', 'Street 1', 'tok_ok', 'SAVE10'])
        assert.ok(!said.includes(secret), secret)
      // As many as people can read: what happened, not how.
      assert.ok(lines.length <= 20, `${lines.length} lines`)
    })
  }
})
