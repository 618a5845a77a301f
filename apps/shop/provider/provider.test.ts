import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { findFreePort } from '@flotilla/core/free-port'
import { migrate } from '@flotilla/core/migrate'
import { seededRandom } from '@flotilla/core/random'
import { dumpSchema } from '@flotilla/core/schema-dump'
import { testCall } from '@flotilla/core/test-call'
import { openTestDatabase } from '@flotilla/core/test-database'
import { until } from '@flotilla/core/until'
import { drawFate } from './fate.ts'
import {
  CARD,
  CARD_DATA,
  DECLINED_CARD,
  folder,
  type OpenedProvider,
  openProvider,
  PROVIDER_KEY,
} from './opened-provider.test.ts'
import { profiles } from './profile.ts'

const order = (reference: string, token = 'tok_ok') => ({ token, amount: 1000, currency: 'EUR', reference })

async function open(t: TestContext, environment = {}): Promise<OpenedProvider> {
  return openProvider(t, await findFreePort(), environment)
}

describe('the provider', () => {
  it('holds, takes and gives back money, and keeps a ledger', async (t) => {
    const { send } = await open(t)
    const held = await send('POST', '/v1/charges', order('a'))
    assert.equal(held.status, 201)
    assert.equal(held.body.charge.status, 'authorised')
    const path = `/v1/charges/${held.body.charge.id}`
    assert.equal((await send('POST', `${path}/refund`, { amount: 1, reference: 'r' })).status, 409)
    assert.equal((await send('POST', `${path}/capture`, { amount: 1001, reference: 'c' })).status, 409)
    assert.equal((await send('POST', `${path}/capture`, { amount: 900, reference: 'c' })).status, 200)
    assert.equal((await send('POST', `${path}/capture`, { amount: 100, reference: 'c2' })).status, 409)
    assert.equal((await send('POST', `${path}/void`, { reference: 'v' })).status, 409)
    assert.equal((await send('POST', `${path}/refund`, { amount: 600, reference: 'r1' })).status, 200)
    const tooMuch = await send('POST', `${path}/refund`, { amount: 301, reference: 'r2' })
    assert.equal(tooMuch.body.error.code, 'amount_too_high')
    const { body } = await send('GET', path)
    assert.deepEqual([body.charge.captured, body.charge.refunded], [900, 600])
    const ledger = await send('GET', '/v1/ledger?after=0')
    const kinds = ledger.body.items.map(
      ({ kind, reference }: Record<string, string>) => `${kind} ${reference}`,
    )
    assert.deepEqual(kinds, ['authorisation a', 'capture c', 'refund r1'])
    const rest = await send('GET', `/v1/ledger?after=${ledger.body.items[1].position}&limit=1`)
    assert.deepEqual(rest.body.items, [ledger.body.items[2]])
    assert.deepEqual((await send('GET', '/v1/charges?reference=c')).body.items, [body.charge])
  })

  it('lets go of what it holds', async (t) => {
    const { send } = await open(t)
    const { body } = await send('POST', '/v1/charges', order('a'))
    const path = `/v1/charges/${body.charge.id}`
    assert.equal((await send('POST', `${path}/void`, { reference: 'v' })).body.charge.status, 'voided')
    assert.equal((await send('POST', `${path}/void`, { reference: 'v2' })).status, 409)
    assert.equal((await send('POST', `${path}/capture`, { amount: 1, reference: 'c' })).status, 409)
  })

  it('answers a repeat as the first, also when both come at once', async (t) => {
    const { send, database } = await open(t)
    const key = { 'idempotency-key': 'k' }
    const all = await Promise.all([1, 2, 3, 4].map(() => send('POST', '/v1/charges', order('a'), key)))
    const [first] = all
    assert.equal(first?.status, 201)
    for (const { status, body } of all) assert.deepEqual({ status, body }, { status: 201, body: first?.body })
    assert.deepEqual(await database.ask('select count(*)::int from charge'), [{ count: 1 }])
    assert.equal((await send('POST', '/v1/charges', order('b'), key)).status, 400)
    await send('PUT', '/simulator/profile', { honoursIdempotencyKeys: false })
    await send('POST', '/v1/charges', order('a'), key)
    assert.deepEqual(await database.ask('select count(*)::int from charge'), [{ count: 2 }])
  })

  it('refuses who has no key, and what it does not understand', async (t) => {
    const { send } = await open(t)
    const wrong = { authorization: 'Bearer of something else' }
    assert.equal((await send('GET', '/v1/ledger', undefined, wrong)).status, 401)
    assert.equal((await send('GET', '/simulator/profile', undefined, wrong)).status, 401)
    assert.equal((await send('POST', '/v1/charges', { ...order('a'), amount: 1.5 })).status, 400)
    assert.equal((await send('POST', '/v1/charges', { ...order('a'), amount: 0 })).status, 400)
    assert.equal((await send('POST', '/v1/charges', order('a', 'tok_none'))).status, 422)
    assert.equal((await send('GET', '/v1/charges/ch_none')).status, 404)
    assert.equal((await send('GET', '/v1/nothing')).status, 404)
    assert.equal((await send('PUT', '/simulator/profile', { errorShare: 2 })).status, 400)
    assert.equal((await send('PUT', '/simulator/profile', { color: 'red' })).status, 400)
  })

  it('goes on in the trace of who shows the key, of nobody else', async (t) => {
    const { send, spansOf } = await open(t)
    const answersIn = async (traceId: string, headers: Readonly<Record<string, string>>) => {
      await send('GET', '/v1/ledger', undefined, {
        traceparent: `00-${traceId}-${'1'.repeat(16)}-01`,
        ...headers,
      })
      return spansOf(traceId).filter((name) => name === 'server answer').length
    }
    assert.equal(await answersIn('a'.repeat(32), {}), 1)
    assert.equal(await answersIn('b'.repeat(32), { authorization: 'Bearer of something else' }), 0)
    assert.equal(await answersIn('c'.repeat(32), { traceparent: `00-${'c'.repeat(32)}` }), 0)
  })

  it('turns cards into tokens and forgets their numbers', async (t) => {
    const { send, database } = await open(t)
    const nobody = { authorization: '' }
    const made = await send('POST', '/vault/tokens', CARD, nobody)
    assert.equal(made.status, 201)
    const { token, ...shown } = made.body
    assert.deepEqual(shown, { brand: 'visa', last4: '4242', expiry: '2099-01' })
    assert.equal((await send('POST', '/v1/charges', order('a', token))).status, 201)
    const bad = await send('POST', '/vault/tokens', DECLINED_CARD, nobody)
    const declined = await send('POST', '/v1/charges', order('b', bad.body.token))
    assert.deepEqual([declined.status, declined.body.error.code], [402, 'card_declined'])
    for (const wrong of [{ number: '4242424242424241' }, { expiry: '2020-01' }]) {
      assert.equal((await send('POST', '/vault/tokens', { ...CARD, ...wrong }, nobody)).status, 422)
    }
    const rows = await database.ask(
      'select c::text as text from card c union all select b::text from charge b',
    )
    assert.doesNotMatch(JSON.stringify(rows), CARD_DATA)
  })

  it('does to odd tokens what they say', async (t) => {
    const port = await findFreePort()
    const { send } = await openProvider(t, port)
    await send('PUT', '/simulator/profile', { isInstant: true, unknownMs: 2_000 })
    const ask = async (reference: string, token: string): Promise<number | 'silence'> => {
      const headers = { authorization: `Bearer ${PROVIDER_KEY}`, 'idempotency-key': reference }
      const body = JSON.stringify(order(reference, token))
      const signal = AbortSignal.timeout(300)
      const asked = fetch(`http://127.0.0.1:${port}/v1/charges`, { method: 'POST', headers, body, signal })
      return asked.then(({ status }) => status).catch(() => 'silence')
    }
    const odd = async (reference: string, token: string) => {
      const first = await ask(reference, token)
      const { status, body } = await send('GET', `/v1/charges?reference=${reference}`)
      return {
        first,
        found: status === 200 ? body.items.length : 'hidden',
        again: await ask(reference, token),
      }
    }
    assert.equal((await send('POST', '/v1/charges', order('d', 'tok_declined'))).status, 402)
    const once = await Promise.all(
      [1, 2].map(() => send('POST', '/v1/charges', order('e', 'tok_error_once'))),
    )
    assert.deepEqual(once.map(({ status }) => status).toSorted(), [201, 500])
    assert.deepEqual(await odd('f', 'tok_timeout_after_charge'), { first: 'silence', found: 1, again: 201 })
    assert.deepEqual(await odd('g', 'tok_unknown'), { first: 'silence', found: 'hidden', again: 'silence' })
    await until('it is known', async () => (await send('GET', '/v1/charges?reference=g')).status === 200)
    assert.equal((await send('GET', '/v1/charges?reference=g')).body.items.length, 1)
  })

  it('keeps its profile over a restart, until it is taken back', async (t) => {
    const port = await findFreePort()
    const before = await openProvider(t, port)
    assert.equal((await before.send('GET', '/simulator/profile')).body.isInstant, true)
    const put = await before.send('PUT', '/simulator/profile', {
      latencyMedianMs: 2,
      latencyP99Ms: 3,
      seed: 7,
    })
    assert.equal(put.status, 200)
    await before.stop()
    const after = await openProvider(t, port, {}, before)
    assert.deepEqual((await after.send('GET', '/simulator/profile')).body, put.body)
    assert.equal((await after.send('DELETE', '/simulator/profile')).body.isInstant, true)
  })

  it('cuts every connection while it is out', async (t) => {
    const { send } = await open(t)
    await send('PUT', '/simulator/profile', { outageUntil: '2099-01-01T00:00:00.000Z' })
    await assert.rejects(send('GET', '/v1/ledger'))
    await send('PUT', '/simulator/profile', { outageUntil: '2001-01-01T00:00:00.000Z' })
    assert.equal((await send('GET', '/v1/ledger')).status, 200)
  })

  it('is busy and broken as often as it is told', async (t) => {
    const { send } = await open(t)
    await send('PUT', '/simulator/profile', { busyShare: 1 })
    const busy = await send('POST', '/v1/charges', order('a'))
    assert.equal(busy.status, 429)
    assert.match(String(busy.headers.get('retry-after')), /^[12]$/)
    await send('PUT', '/simulator/profile', { errorShare: 1 })
    assert.equal((await send('POST', '/v1/charges', order('b'))).status, 500)
  })

  it('sends webhooks until they are taken, doubled where told', async (t) => {
    const got: { id: string; type: string }[] = []
    const merchant = createServer((incoming, outgoing) => {
      let text = ''
      incoming.on('data', (chunk) => {
        text += chunk
      })
      incoming.on('end', () => {
        const { id, payload } = JSON.parse(text)
        got.push({ id, type: JSON.parse(payload).type })
        outgoing.writeHead(got.length === 1 ? 500 : 204).end()
      })
    })
    await new Promise<void>((resolve) => merchant.listen(0, '127.0.0.1', resolve))
    t.after(() => {
      merchant.close()
    })
    const { port } = merchant.address() as AddressInfo
    const { send } = await open(t, { PROVIDER_WEBHOOK_URL: `http://127.0.0.1:${port}` })
    await send('POST', '/v1/charges', order('a'))
    await until('the second try', () => got.length === 2)
    await send('PUT', '/simulator/profile', { webhookDuplicateShare: 1 })
    await send('POST', '/v1/charges', order('b', 'tok_declined'))
    await until('the double', () => got.length === 4)
    const [first, second, third, fourth] = got
    assert.deepEqual(first, second)
    assert.deepEqual(third, fourth)
    assert.deepEqual([first?.type, third?.type], ['charge.authorisation', 'charge.decline'])
  })

  it('never changes its ledger', async (t) => {
    const { send, database } = await open(t)
    await send('POST', '/v1/charges', order('a'))
    for (const change of ['update ledger set amount = 1', 'delete from ledger', 'truncate ledger']) {
      await assert.rejects(database.ask(change), /append-only/)
    }
  })

  it('has the schema that schema.sql says', async (t) => {
    const { url, open: openDatabase } = await openTestDatabase(t)
    await migrate(url, [{ name: 'provider', folder: `${folder}/provider/migrations` }])
    const text = await dumpSchema(openDatabase().session(testCall()), ['public'])
    const file = `${folder}/provider/schema.sql`
    if (process.env['FLOTILLA_UPDATE'] === '1') await writeFile(file, text)
    assert.equal(await readFile(file, 'utf8'), text)
  })
})

describe('drawFate', () => {
  it('has the shares and the latency of its profile', () => {
    const random = seededRandom(3)
    const fates = Array.from({ length: 20_000 }, () => drawFate(profiles.realistic, random, 0))
    const share = (is: (fate: (typeof fates)[number]) => boolean) => fates.filter(is).length / fates.length
    const near = (actual: number, expected: number, by: number) =>
      assert.ok(Math.abs(actual - expected) < by, `${actual}`)
    near(
      share(({ after }) => after === 'hang'),
      0.02,
      0.004,
    )
    near(
      share(({ before }) => before === 'hang'),
      0.01,
      0.003,
    )
    near(
      share(({ before, after }) => before === 'error' || after === 'error'),
      0.01,
      0.003,
    )
    near(
      share(({ before }) => before === 'busy'),
      0.01,
      0.003,
    )
    const delays = fates.map(({ delayMs }) => delayMs).toSorted((a, b) => a - b)
    near((delays[10_000] as number) / 150, 1, 0.1)
    near((delays[19_800] as number) / 3_000, 1, 0.25)
    assert.deepEqual(drawFate(profiles.instant, random, 0), { delayMs: 0, before: 'none', after: 'none' })
  })
})
