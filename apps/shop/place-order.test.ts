/** Placing orders over HTTP: answered at once, or waited for. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { findFreePort } from '@flotilla/core/free-port'
import { testPlacements } from '@flotilla/core/test-app'
import { until } from '@flotilla/core/until'
import { address, openShop, type Shop } from './opened-shop.test.ts'

const SKU = 'AUD-0001'

interface Answer {
  readonly status: number
  readonly applied: string | null
  readonly body: Readonly<Record<string, unknown>>
}

/** Somebody who buys over HTTP. */
class Shopper {
  readonly #origin: string
  #token = ''

  constructor(port: number) {
    this.#origin = `http://127.0.0.1:${port}/api/v1`
  }

  async register(): Promise<this> {
    const email = `${randomUUID()}@shop.test`
    const { body } = await this.ask('POST', '/auth/register', {
      email,
      password: 'a long enough passphrase',
      name: 'Ann',
    })
    this.#token = String(body['accessToken'])
    return this
  }

  async ask(method: string, path: string, json?: object, headers: object = {}): Promise<Answer> {
    const response = await this.open(method, path, json, headers)
    const body = (await response.json()) as Answer['body']
    return { status: response.status, applied: response.headers.get('preference-applied'), body }
  }

  open(method: string, path: string, json?: object, headers: object = {}): Promise<Response> {
    return fetch(this.#origin + path, {
      method,
      headers: {
        ...(this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: json === undefined ? null : JSON.stringify(json),
    })
  }

  /** Puts one thing into the cart and orders it. */
  async order(paymentToken: string, prefer?: string, key = randomUUID(), quantity = 1): Promise<Answer> {
    await this.ask('POST', '/cart/items', { sku: SKU, quantity })
    return this.place(paymentToken, prefer, key)
  }

  place(paymentToken: string, prefer: string | undefined, key: string): Promise<Answer> {
    const headers = { 'idempotency-key': key, ...(prefer === undefined ? {} : { prefer }) }
    return this.ask('POST', '/orders', { shippingAddress: address, paymentToken }, headers)
  }
}

interface OpenedShop {
  readonly shop: Shop
  readonly shopper: () => Promise<Shopper>
}

async function open(
  t: { after(cleanUp: () => Promise<void>): void },
  placement: (typeof testPlacements)[number],
): Promise<OpenedShop> {
  const port = await findFreePort()
  const shop = await openShop(t, placement, { GATEWAY_PORT: String(port) })
  return { shop, shopper: () => new Shopper(port).register() }
}

/** Streams of orders that are over. */
function endedStreams(shop: Shop): number {
  const text = shop.app.hostOf('orders').metrics.toPrometheus()
  const lines = text.matchAll(
    /^flotilla_server_calls_total\{service="orders",operation="orders\.stream".*\} (\d+)$/gm,
  )
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0)
}

const outcome = ({ status, applied, body }: Answer): readonly unknown[] => [
  status,
  applied,
  body['status'] === status ? body['reason'] : body['status'],
]

describe('POST /orders', () => {
  for (const placement of testPlacements) {
    it(`POST /orders answers at once, or as it ended, and the same to a repeat, ${placement}`, async (t) => {
      const { shop, shopper } = await open(t, placement)
      const one = await shopper()
      assert.equal((await one.ask('POST', '/orders', { shippingAddress: address })).status, 400)

      const key = randomUUID()
      const atOnce = await one.order('tok_ok', undefined, key)
      const { id } = atOnce.body
      assert.deepEqual(outcome(atOnce), [202, null, 'pending'])
      assert.deepEqual(atOnce.body['links'], {
        self: `/api/v1/orders/${id}`,
        history: `/api/v1/orders/${id}/history`,
        stream: `/api/v1/orders/${id}/stream`,
      })
      await until('it is paid', async () => {
        const { body } = await one.ask('GET', `/orders/${id}`)
        return body['paymentStatus'] === 'captured'
      })
      assert.deepEqual(await one.place('tok_ok', undefined, key), atOnce)
      const waited = await one.place('tok_ok', 'wait=20', key)
      assert.deepEqual(outcome(waited), [201, 'wait=20', 'confirmed'])
      assert.deepEqual([waited.body['id'], waited.body['total']], [id, atOnce.body['total']])
      assert.deepEqual(await one.place('tok_ok', 'wait=20', key), waited)

      const startMs = systemClock.monotonicMs()
      const confirmed = await (await shopper()).order('tok_ok', 'wait=99')
      assert.ok(systemClock.monotonicMs() - startMs < 25_000, 'waited on after the end')
      assert.deepEqual(outcome(confirmed), [201, 'wait=30', 'confirmed'])
      assert.deepEqual(Object.keys(confirmed.body).toSorted(), Object.keys(waited.body).toSorted())
      await until('nobody follows an order any more', () => endedStreams(shop) === 3)
    })

    it(`POST /orders tells why an order that was waited for came to nothing, ${placement}`, async (t) => {
      const { shopper } = await open(t, placement)
      const poor = await shopper()
      const key = randomUUID()
      const declined = await poor.order('tok_declined', 'wait=20', key)
      assert.deepEqual(outcome(declined), [402, 'wait=20', 'card_declined'])
      const again = await poor.place('tok_declined', 'wait=20', key)
      assert.deepEqual([outcome(again), again.body['data']], [outcome(declined), declined.body['data']])
      assert.deepEqual(outcome(await (await shopper()).order('tok_declined')), [202, null, 'pending'])

      const none = await (await shopper()).ask(
        'POST',
        '/orders',
        { shippingAddress: address },
        {
          'idempotency-key': 'a',
        },
      )
      assert.deepEqual([none.status, none.body['reason']], [409, 'cart_empty'])

      const other = await shopper()
      const waiting = other.order('tok_slow', 'wait=20')
      let id: unknown
      await until('it is placed', async () => {
        const { body } = await other.ask('GET', '/orders')
        id = (body['items'] as readonly { id: string }[])[0]?.id
        return id !== undefined
      })
      await other.ask('POST', `/orders/${id}/cancel`)
      assert.deepEqual(outcome(await waiting), [409, 'wait=20', 'cancelled'])
    })
  }

  it('POST /orders answers 202 when the time is up, and when the orders cannot be followed any more', async (t) => {
    const { shop, shopper } = await open(t, 'frames')
    const slow = await (await shopper()).order('tok_slow', 'wait=1')
    assert.deepEqual(outcome(slow), [202, 'wait=1', 'pending'])

    const other = await shopper()
    const waiting = other.order('tok_slow', 'wait=30')
    await until('it is placed', async () => {
      const { body } = await other.ask('GET', '/orders')
      return (body['items'] as readonly unknown[]).length > 0
    })
    await shop.app.hostOf('orders').close()
    assert.deepEqual(outcome(await waiting), [202, 'wait=30', 'pending'])
  })

  it('POST /orders has a stream beside it that tells of every change', async (t) => {
    const { shopper } = await open(t, 'frames')
    const one = await shopper()
    const { body } = await one.order('tok_ok')
    const response = await one.open('GET', `/orders/${body['id']}/stream`)
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    const seen = new Set<string>()
    let text = ''
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString('utf8')
      const events = text.split('\n\n')
      text = events.pop() ?? ''
      for (const event of events) {
        const { id, status, paymentStatus } = JSON.parse(event.slice('data: '.length))
        assert.equal(id, body['id'])
        seen.add(`${status} ${paymentStatus}`)
      }
      if (seen.has('confirmed captured')) break
    }
    assert.ok(seen.has('confirmed authorised') || seen.has('pending authorised'), [...seen].join())
    const stranger = await (await shopper()).open('GET', `/orders/${body['id']}/stream`)
    assert.equal(stranger.status, 404)
    await stranger.body?.cancel()
  })
})
