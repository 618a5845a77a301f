import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import type { Payment } from './contracts/payments.ts'
import { attempt, doneAt, euros, type OpenedPayments, openBoth } from './opened-payments.test.ts'
import { CARD, CARD_DATA, WEBHOOK_SECRET } from './provider/opened-provider.test.ts'

const refusal = (reason: string) => ({ code: 'failed_precondition', status: 409, reason })

/** Waits until the attempt is in a state that lasts. */
async function settledStatus(
  { orders }: OpenedPayments,
  attemptId: string,
  boundMs = 10_000,
): Promise<Payment> {
  let payment = await orders.status({ attemptId })
  await until(
    `${attemptId} is settled`,
    async () => {
      payment = await orders.status({ attemptId })
      return payment.status !== 'processing'
    },
    boundMs,
  )
  return payment
}

/** What the figures of the business tell of money that has moved, in cents. */
function counted({ host }: OpenedPayments, what: 'revenue' | 'refunds'): number {
  const line = new RegExp(`^shop_${what}_business_total\\{unit="EUR"\\} (\\d+)$`, 'm')
  return Number(line.exec(host.metrics.toPrometheus())?.[1] ?? 0)
}

describe('payments.authorise', () => {
  it('holds the money, and tells a repeat the same', async (t) => {
    const { shop, provider } = await openBoth(t)
    const first = await shop.orders.authorise(attempt('a'))
    assert.deepEqual(first, {
      attemptId: 'a',
      status: 'authorised',
      isUnknown: false,
      authorised: euros(1000),
      captured: euros(0),
      refunded: euros(0),
      card: { brand: 'visa', last4: '4242', expiry: '2030-12' },
      version: 2,
    })
    assert.deepEqual(await shop.orders.authorise(attempt('a')), first)
    assert.deepEqual(await shop.orders.status({ attemptId: 'a' }), first)
    await assert.rejects(shop.orders.authorise(attempt('a', 'tok_ok', 999)), refusal('attempt_differs'))
    await assert.rejects(shop.orders.authorise(attempt('a', 'tok_slow')), refusal('attempt_differs'))
    assert.deepEqual(await doneAt(provider, 'a'), ['authorisation 1000'])
  })

  it('is one authorisation, however many ask at once', async (t) => {
    const { shop, provider } = await openBoth(t)
    await Promise.all([1, 2, 3, 4, 5].map(() => shop.orders.authorise(attempt('a'))))
    assert.equal((await settledStatus(shop, 'a')).status, 'authorised')
    assert.deepEqual(await doneAt(provider, 'a'), ['authorisation 1000'])
  })

  it('tells that a card was declined, or that its token is none', async (t) => {
    const { shop, provider } = await openBoth(t)
    const declined = await shop.orders.authorise(attempt('a', 'tok_declined'))
    assert.deepEqual([declined.status, declined.declineCode], ['declined', 'card_declined'])
    assert.deepEqual(await doneAt(provider, 'a'), ['decline 1000'])
    const none = await shop.orders.authorise(attempt('b', 'tok_none'))
    assert.deepEqual([none.status, none.declineCode], ['declined', 'unknown_token'])
    await assert.rejects(shop.orders.capture({ attemptId: 'a', amount: euros(1) }), refusal('not_authorised'))
    assert.equal((await shop.orders.void({ attemptId: 'a' })).status, 'declined')
  })

  it('waits for a slow answer', async (t) => {
    const { shop } = await openBoth(t, { environment: { PAYMENTS_PROVIDER_TIMEOUT_MS: '8000' } })
    assert.equal((await shop.orders.authorise(attempt('a', 'tok_slow'))).status, 'authorised')
  })

  for (const token of ['tok_slow', 'tok_timeout_after_charge', 'tok_error_once', 'tok_unknown']) {
    it(`is processing, then authorised, once: ${token}`, async (t) => {
      const { shop, provider } = await openBoth(t)
      const first = await shop.orders.authorise(attempt('a', token))
      assert.deepEqual([first.status, first.isUnknown], ['processing', true])
      const { status, isUnknown } = await settledStatus(shop, 'a', 20_000)
      assert.deepEqual([status, isUnknown], ['authorised', false])
      assert.deepEqual(await doneAt(provider, 'a'), ['authorisation 1000'])
    })
  }

  it('learns by webhook what nobody answered', async (t) => {
    // So slow a resolver that only the webhook can be it.
    const environment = { PAYMENTS_RESOLVE_MS: '60000' }
    const { shop, provider } = await openBoth(t, { hasWebhooks: true, environment })
    const first = await shop.orders.authorise(attempt('a', 'tok_timeout_after_charge'))
    assert.ok(first.status === 'processing' || first.status === 'authorised')
    assert.equal((await settledStatus(shop, 'a')).status, 'authorised')
    assert.deepEqual(await doneAt(provider, 'a'), ['authorisation 1000'])
  })
})

describe('payments.capture', () => {
  it('takes the money once, and books it', async (t) => {
    const { shop, provider } = await openBoth(t)
    const taking = { attemptId: 'a', amount: euros(900) }
    await assert.rejects(shop.orders.capture(taking), { reason: 'no_attempt' })
    await shop.orders.authorise(attempt('a'))
    const tooMuch = { attemptId: 'a', amount: euros(1001) }
    await assert.rejects(shop.orders.capture(tooMuch), refusal('amount_too_high'))
    const dollars = { attemptId: 'a', amount: { amount: 900, currency: 'USD' } }
    await assert.rejects(shop.orders.capture(dollars), refusal('amount_too_high'))
    await Promise.all([1, 2, 3].map(() => shop.orders.capture(taking)))
    const taken = await settledStatus(shop, 'a')
    assert.deepEqual([taken.status, taken.captured], ['captured', euros(900)])
    assert.deepEqual(await shop.orders.capture(taking), taken)
    await assert.rejects(
      shop.orders.capture({ attemptId: 'a', amount: euros(100) }),
      refusal('already_captured'),
    )
    await assert.rejects(shop.orders.void({ attemptId: 'a' }), refusal('already_captured'))
    assert.deepEqual(await doneAt(provider, 'a'), ['authorisation 1000', 'capture 900'])
    const entries = await shop.database.ask(
      'select account, debit, credit from ledger_entry order by account',
    )
    assert.deepEqual(entries, [
      { account: 'provider_clearing', debit: '900', credit: '0' },
      { account: 'sales', debit: '0', credit: '900' },
    ])
    await until('it is counted', () => counted(shop, 'revenue') === 900)
  })

  it('goes back to authorised when the provider refuses', async (t) => {
    const { shop, provider } = await openBoth(t)
    await shop.orders.authorise(attempt('a'))
    const [charge] = (await provider.send('GET', '/v1/charges?reference=a')).body.items
    await provider.send('POST', `/v1/charges/${charge.id}/void`, { reference: 'by hand' })
    const taking = { attemptId: 'a', amount: euros(900) }
    await assert.rejects(shop.orders.capture(taking), refusal('capture_refused'))
    await assert.rejects(shop.orders.capture(taking), refusal('capture_refused'))
    assert.equal((await shop.orders.status({ attemptId: 'a' })).status, 'authorised')
    assert.equal((await shop.orders.void({ attemptId: 'a' })).status, 'voided', 'somebody else did')
    assert.deepEqual(await shop.database.ask('select * from ledger_entry'), [])
    assert.equal(counted(shop, 'revenue'), 0)
  })
})

describe('payments.void', () => {
  it('lets go of what is held, once', async (t) => {
    const { shop, provider } = await openBoth(t)
    await shop.orders.authorise(attempt('a'))
    await Promise.all([1, 2, 3].map(() => shop.orders.void({ attemptId: 'a' })))
    assert.equal((await settledStatus(shop, 'a')).status, 'voided')
    assert.deepEqual(await doneAt(provider, 'a'), ['authorisation 1000', 'void 1000'])
    await assert.rejects(shop.orders.capture({ attemptId: 'a', amount: euros(1) }), refusal('not_authorised'))
    await assert.rejects(shop.orders.authorise(attempt('a')), refusal('attempt_voided'))
  })

  it('forbids what was never asked for', async (t) => {
    const { shop, provider } = await openBoth(t)
    const voided = await shop.orders.void({ attemptId: 'a' })
    assert.deepEqual([voided.status, voided.authorised], ['voided', { amount: 0, currency: 'XXX' }])
    assert.deepEqual(await shop.orders.void({ attemptId: 'a' }), voided)
    await assert.rejects(shop.orders.authorise(attempt('a')), refusal('attempt_voided'))
    assert.deepEqual(await doneAt(provider, 'a'), [])
  })

  it('waits until what is unknown is known, and lets go then', async (t) => {
    const { shop, provider } = await openBoth(t)
    await provider.send('PUT', '/simulator/profile', { isInstant: true, unknownMs: 1_000 })
    await shop.orders.authorise(attempt('a', 'tok_unknown'))
    const voiding = await shop.orders.void({ attemptId: 'a' })
    assert.deepEqual([voiding.status, voiding.isUnknown], ['processing', true])
    assert.equal((await settledStatus(shop, 'a')).status, 'voided')
    assert.deepEqual(await doneAt(provider, 'a'), ['authorisation 1000', 'void 1000'])
  })
})

describe('payments.refund', () => {
  const refund = (refundId: string, amount: number) => {
    return { attemptId: 'a', refundId, amount: euros(amount), reason: 'broken' }
  }

  it('gives back part by part, each once', async (t) => {
    const { shop, provider } = await openBoth(t)
    await assert.rejects(shop.orders.refund(refund('r1', 1)), { reason: 'no_attempt' })
    await shop.orders.authorise(attempt('a'))
    await assert.rejects(shop.orders.refund(refund('r1', 1)), refusal('not_captured'))
    await shop.orders.capture({ attemptId: 'a', amount: euros(1000) })
    const first = await shop.orders.refund(refund('r1', 400))
    assert.deepEqual(
      [first.status, first.refunded, first.refund],
      ['partially_refunded', euros(400), { refundId: 'r1', status: 'done' }],
    )
    assert.deepEqual(await shop.orders.refund(refund('r1', 400)), first)
    await assert.rejects(shop.orders.refund(refund('r1', 401)), refusal('refund_differs'))
    await assert.rejects(shop.orders.refund(refund('r2', 601)), refusal('amount_too_high'))
    assert.equal((await shop.orders.refund(refund('r2', 600))).status, 'refunded')
    await assert.rejects(shop.orders.refund(refund('r3', 1)), refusal('amount_too_high'))
    assert.deepEqual(await doneAt(provider, 'a'), [
      'authorisation 1000',
      'capture 1000',
      'refund 400',
      'refund 600',
    ])
    const keys = await provider.database.ask<{ key: string }>('select key from request order by key')
    assert.deepEqual(
      keys.map(({ key }) => key),
      ['a', 'a.capture', 'a.refund.r1', 'a.refund.r2'],
      'each under a name of its own, by which a repeat is known',
    )
    const [clearing] = await shop.database.ask<{ balance: string }>(
      `select sum(debit - credit)::text as balance from ledger_entry where account = 'provider_clearing'`,
    )
    assert.equal(clearing?.balance, '0')
    await until('it is counted', () => counted(shop, 'refunds') === 1000)
  })

  it('never gives back more than was taken, however many ask at once', async (t) => {
    const { shop, provider } = await openBoth(t)
    await shop.orders.authorise(attempt('a'))
    await shop.orders.capture({ attemptId: 'a', amount: euros(1000) })
    const asked = Array.from({ length: 12 }, (_, index) => shop.orders.refund(refund(`r${index % 6}`, 300)))
    const outcomes = await Promise.allSettled(asked)
    for (const one of outcomes) {
      if (one.status === 'rejected') assert.equal(one.reason.reason, 'amount_too_high')
    }
    const { refunded } = await settledStatus(shop, 'a')
    assert.equal(refunded.amount, 900)
    assert.equal((await doneAt(provider, 'a')).filter((what) => what === 'refund 300').length, 3)
  })

  it('comes back to captured when the provider refuses all', async (t) => {
    const { shop, provider } = await openBoth(t)
    await shop.orders.authorise(attempt('a'))
    await shop.orders.capture({ attemptId: 'a', amount: euros(1000) })
    const [charge] = (await provider.send('GET', '/v1/charges?reference=a')).body.items
    await provider.send('POST', `/v1/charges/${charge.id}/refund`, { amount: 1000, reference: 'by hand' })
    await assert.rejects(shop.orders.refund(refund('r1', 400)), refusal('refund_refused'))
    await assert.rejects(shop.orders.refund(refund('r1', 400)), refusal('refund_refused'))
    assert.equal((await shop.orders.status({ attemptId: 'a' })).status, 'captured')
    assert.equal(counted(shop, 'refunds'), 0)
  })
})

describe('payments.webhook', () => {
  const sign = (id: string, timestamp: number, payload: string, secret = WEBHOOK_SECRET) => ({
    id,
    timestamp,
    payload,
    signature: createHmac('sha256', secret).update(`${id}.${timestamp}.${payload}`).digest('hex'),
  })
  const nowS = () => Math.floor(Date.now() / 1000)

  it('believes the signature alone', async (t) => {
    const { shop } = await openBoth(t)
    const good = sign('evt_1', nowS(), '{"type":"something.new"}')
    const post = async (body: unknown) => {
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(shop.webhookUrl, { method: 'POST', headers, body: JSON.stringify(body) })
      return response.status
    }
    assert.equal(await post(good), 204)
    assert.equal(await post(good), 204, 'a repeat')
    assert.equal(await post({ ...good, id: 'evt_2' }), 401)
    assert.equal(await post({ ...good, timestamp: good.timestamp + 1 }), 401)
    assert.equal(await post({ ...good, payload: `${good.payload} ` }), 401)
    assert.equal(await post({ ...good, signature: '00'.repeat(32) }), 401)
    assert.equal(await post({ ...good, signature: 'short' }), 400)
    assert.equal(await post(sign('evt_3', nowS(), '{}', 'another secret of webhooks')), 401)
    assert.equal(await post(sign('evt_4', nowS() - 400, '{}')), 401, 'too old')
    assert.equal(await post(sign('evt_5', nowS() + 400, '{}')), 401, 'too new')
    assert.deepEqual(await shop.database.ask('select id from webhook_event'), [{ id: 'evt_1' }])
  })

  it('takes them doubled, late and overtaken', async (t) => {
    const { shop, provider } = await openBoth(t)
    await shop.orders.authorise(attempt('a'))
    const told = async () => {
      const [charge] = (await provider.send('GET', '/v1/charges?reference=a')).body.items
      return JSON.stringify({ type: 'charge.something', charge })
    }
    const whenAuthorised = await told()
    await shop.orders.capture({ attemptId: 'a', amount: euros(1000) })
    await shop.orders.refund({ attemptId: 'a', refundId: 'r', amount: euros(1), reason: '' })
    const whenRefunded = await told()
    const before = await shop.orders.status({ attemptId: 'a' })
    for (const [id, payload] of [
      ['evt_2', whenRefunded],
      ['evt_1', whenAuthorised],
      ['evt_2', whenRefunded],
      ['evt_3', whenRefunded],
    ] as const) {
      await shop.customer.webhook(sign(id, nowS(), payload))
    }
    assert.deepEqual(await shop.orders.status({ attemptId: 'a' }), before)
    assert.equal((await shop.database.ask('select * from ledger_entry')).length, 4)
  })
})

describe('payments', () => {
  it('are for orders alone', async (t) => {
    const { shop } = await openBoth(t)
    for (const calls of [shop.admin, shop.customer]) {
      await assert.rejects(calls.authorise(attempt('a')), { code: 'permission_denied' })
      await assert.rejects(calls.status({ attemptId: 'a' }), { code: 'permission_denied' })
    }
    await assert.rejects(shop.customer.reconciliation(), { code: 'permission_denied' })
    await assert.rejects(shop.customer.reconcile(), { code: 'permission_denied' })
  })

  it('publish what became definite, with the state itself', async (t) => {
    const { shop } = await openBoth(t)
    await shop.orders.authorise(attempt('a'))
    await shop.orders.capture({ attemptId: 'a', amount: euros(1000) })
    await shop.orders.void({ attemptId: 'b' })
    await shop.orders.authorise(attempt('c', 'tok_declined'))
    const rows = await shop.database.ask<{ type: string; key: string; status: string; version: number }>(
      `select event->>'type' as type, event->>'key' as key, event->'data'->>'status' as status,
         (event->'data'->>'version')::int as version from flotilla.outbox order by id`,
    )
    const type = 'payments.settled'
    assert.deepEqual(rows, [
      { type, key: 'order-of-a', status: 'authorised', version: 2 },
      { type, key: 'order-of-a', status: 'captured', version: 4 },
      { type, key: 'order-of-c', status: 'declined', version: 2 },
    ])
  })

  it('keep no card, and take none for a token', async (t) => {
    const { shop, provider } = await openBoth(t, { hasWebhooks: true })
    const { body } = await provider.send('POST', '/vault/tokens', CARD)
    await shop.orders.authorise(attempt('a', body.token))
    await shop.orders.capture({ attemptId: 'a', amount: euros(1000) })
    await until('webhooks came', async () => {
      return (await shop.database.ask('select * from webhook_event')).length === 2
    })
    await assert.rejects(shop.orders.authorise(attempt('b', CARD.number)), { code: 'invalid_argument' })
    for (const { database } of [shop, provider]) {
      const tables = await database.ask<{ name: string }>(
        `select format('%I.%I', schemaname, relname) as name from pg_stat_user_tables`,
      )
      for (const { name } of tables) {
        const rows = await database.ask(`select x::text as row from ${name} x`)
        assert.doesNotMatch(JSON.stringify(rows), CARD_DATA, name)
      }
    }
  })

  it('show their books balanced, and never change them', async (t) => {
    const { shop } = await openBoth(t)
    const { database, orders } = shop
    await orders.authorise(attempt('a'))
    await orders.capture({ attemptId: 'a', amount: euros(1000) })
    for (const change of [
      'update ledger_entry set debit = 1',
      'delete from ledger_entry',
      'truncate ledger_entry',
    ]) {
      await assert.rejects(database.ask(change), /append-only/)
    }
    const lone = `insert into operation (id, attempt_id, kind, amount, state, settled_at, refund_id)
      values ('x', 'a', 'refund', 1, 'done', now(), 'x');
      insert into ledger_entry (transaction_id, account, attempt_id, order_id, debit, currency)
      values ('x', 'refunds', 'a', 'o', 1, 'EUR')`
    await assert.rejects(database.ask(lone), /does not balance/)
  })

  it('refuse in the database what must never be', async (t) => {
    const { shop } = await openBoth(t)
    const { database, orders } = shop
    await orders.authorise(attempt('a'))
    for (const wrong of [
      'captured = 1001',
      'refunded = 1',
      'authorised = -1',
      `state = 'captured', version = version + 1`,
      `state = 'declined', version = version + 1`,
      'version = version + 2',
      `payment_token = '4242424242424242', version = version + 1`,
    ]) {
      await assert.rejects(database.ask(`update attempt set ${wrong}`), { code: '23514' }, wrong)
    }
  })
})
