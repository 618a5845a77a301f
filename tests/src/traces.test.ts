/** One order, one trace: everything that an order sets going hangs together, wherever the services run. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openOtlpReceiver } from '@flotilla/core/otlp-receiver'
import type { Span } from '@flotilla/core/spans'
import { until } from '@flotilla/core/until'
import { makeBed, run, startUp } from './flotilla-process.ts'
import { openShop } from './placements.ts'
import { type ShopClient, shopClient } from './shop-client.ts'

const SKU = 'KIT-0001'
const address = { name: 'Ann', line1: 'Street 1', postcode: '01234', city: 'Town', country: 'DE' }

/** Places an order and waits until it is paid, shipped and told; its trace. */
async function placeOrder(shop: ShopClient): Promise<string> {
  const { token } = await shop.register('ann')
  await shop.api(`/cart/items/${SKU}`, { token, method: 'PUT', body: { quantity: 1 } })
  const placed = await shop.api('/orders', {
    token,
    body: { shippingAddress: address, paymentToken: 'tok_ok' },
    headers: { 'idempotency-key': 'traced', prefer: 'wait=20' },
  })
  assert.equal(placed.status, 201, placed.text)
  const { id } = placed.body
  await until(
    'it is shipped',
    async () => (await shop.api(`/shipments?orderId=${id}`, { token })).body.items.length === 1,
  )
  const [, traceId = ''] = (placed.headers.get('traceparent') ?? '').split('-')
  return traceId
}

const label = ({ service, kind, name }: Span): string => `${service}: ${kind} ${name}`

describe('the trace of an order', () => {
  for (const placement of ['one process', 'frames'] as const) {
    it(`holds gateway, calls, statements, events, saga and provider without an orphan: ${placement}`, async (t) => {
      const shop = await openShop(t, placement)
      const traceId = await placeOrder(shop)
      const spans = (): readonly Span[] =>
        (shop.hosts?.hosts ?? []).flatMap((host) => host.spans.ofTrace(traceId))
      const isThere = (what: string): boolean => spans().some((span) => label(span) === what)
      for (const what of [
        'gateway: server POST /api/v1/orders',
        'gateway: client orders.place',
        'orders: server orders.place',
        'orders: client INSERT flotilla.saga',
        'orders: internal saga checkout.reserveStock',
        'orders: client inventory.reserve',
        'inventory: server inventory.reserve',
        'inventory: client COMMIT',
        'orders: internal saga checkout.authorise',
        'payments: server payments.authorise',
        'provider: server answer',
        'orders: producer publish orders.confirmed',
        'shipping: consumer shipping on orders.confirmed',
        'shipping: client INSERT fulfilment',
        'notifications: consumer notifications on orders.confirmed',
      ]) {
        await until(`${what} is in the trace`, () => isThere(what))
      }
      const orphans = (): readonly string[] => {
        const ids = new Set(spans().map(({ spanId }) => spanId))
        return spans()
          .filter(({ parentId }) => parentId !== undefined && !ids.has(parentId))
          .map(label)
      }
      // A parent ends after its children, and is recorded then.
      await until('no span is an orphan', () => orphans().length === 0).catch(() => {
        assert.deepEqual(orphans(), [])
      })
      assert.deepEqual(
        spans()
          .filter(({ parentId }) => parentId === undefined)
          .map(label),
        ['gateway: server POST /api/v1/orders'],
      )
      const outside = spans().find(({ service, name }) => service === 'payments' && name.startsWith('POST '))
      assert.equal(outside?.attributes?.['http.response.status_code'], 201)
      for (const { attributes } of spans()) {
        assert.doesNotMatch(JSON.stringify(attributes ?? {}), /tok_ok|Street 1|Ann/)
      }
    })
  }

  it('arrives whole at an OTLP endpoint and in the console from the processes of a fleet, though it was not chosen', async (t) => {
    const receiver = await openOtlpReceiver(t)
    const bed = await makeBed(t)
    await startUp(bed, ['--placement', 'fleet'], {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      FLOTILLA_TRACES_PER_SECOND: '0',
      FLOTILLA_TRACES_RATIO: '0',
      // Whatever takes a millisecond is slow.
      FLOTILLA_TRACES_SLOW_MS: '1',
    })
    const traceId = await placeOrder(shopClient(`http://127.0.0.1:${bed.gatewayPort}`))
    const its = () => receiver.spans.filter((span) => span.traceId === traceId)
    const services = () => new Set(its().map(({ service }) => service))
    const takePart = [
      'gateway',
      'orders',
      'cart',
      'catalog',
      'inventory',
      'payments',
      'provider',
      'shipping',
      'notifications',
    ]
    await until('all services have sent theirs', () => takePart.every((one) => services().has(one)))
    const orphans = (): readonly string[] => {
      const ids = new Set(its().map(({ spanId }) => spanId))
      return its()
        .filter(({ parentSpanId }) => parentSpanId !== undefined && !ids.has(parentSpanId))
        .map(({ service, name }) => `${service} ${name}`)
    }
    await until('no span is an orphan', () => orphans().length === 0).catch(() => {
      assert.deepEqual(orphans(), [])
    })
    const inConsole = async (): Promise<number> => {
      const { output } = await run(bed, 'trace', traceId, '--json')
      return output === '' ? 0 : JSON.parse(output).items.length
    }
    await until('the console has as many', async () => (await inConsole()) === its().length)
  })
})
