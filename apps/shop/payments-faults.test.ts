/** Payments while the provider, the network, or payments themselves fail. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findFreePort } from '@flotilla/core/free-port'
import { until } from '@flotilla/core/until'
import { attempt, doneAt, euros, openBoth, openPayments } from './opened-payments.test.ts'
import { openProvider } from './provider/opened-provider.test.ts'

describe('payments', () => {
  it('go on where they were when the provider comes back', async (t) => {
    const { shop, provider, port } = await openBoth(t)
    await shop.orders.authorise(attempt('a'))
    await shop.orders.authorise(attempt('b'))
    await shop.orders.capture({ attemptId: 'b', amount: euros(700) })
    await provider.stop()
    const refund = { attemptId: 'b', refundId: 'r', amount: euros(300), reason: '' }
    assert.equal((await shop.orders.authorise(attempt('c'))).status, 'processing')
    assert.equal((await shop.orders.capture({ attemptId: 'a', amount: euros(1000) })).status, 'processing')
    assert.equal((await shop.orders.refund(refund)).refund.status, 'processing')
    assert.equal((await shop.orders.void({ attemptId: 'c' })).status, 'processing')
    const again = await openProvider(t, port, {}, provider)
    const statusOf = async (attemptId: string) => (await shop.orders.status({ attemptId })).status
    const all = () => Promise.all(['a', 'b', 'c'].map(statusOf))
    await until('all is settled', async () => !(await all()).includes('processing'))
    assert.deepEqual(await all(), ['captured', 'partially_refunded', 'voided'])
    assert.equal((await shop.orders.refund(refund)).refund.status, 'done')
    assert.deepEqual(await doneAt(again, 'a'), ['authorisation 1000', 'capture 1000'])
    assert.deepEqual(await doneAt(again, 'b'), ['authorisation 1000', 'capture 700', 'refund 300'])
    assert.deepEqual(await doneAt(again, 'c'), ['authorisation 1000', 'void 1000'])
  })

  it('do not lose what was asked for while they fell over', async (t) => {
    const { shop, provider, port } = await openBoth(t)
    await provider.send('PUT', '/simulator/profile', { timeoutAfterShare: 1 })
    const lost = shop.orders.authorise(attempt('a')).catch(() => 'gone')
    await until('the provider did it', async () => (await doneAt(provider, 'a')).length === 1)
    await shop.host.close()
    await lost
    await provider.send('DELETE', '/simulator/profile')
    const next = await openPayments(t, port, {}, shop)
    const isSettled = async () => (await next.orders.status({ attemptId: 'a' })).status === 'authorised'
    await until('the next instance finds out', isSettled)
    assert.deepEqual(await doneAt(provider, 'a'), ['authorisation 1000'])
  })

  it('are resolved once by two instances', async (t) => {
    const { shop, provider, port } = await openBoth(t)
    const other = await openPayments(t, port, {}, shop)
    await provider.send('PUT', '/simulator/profile', { errorShare: 1 })
    const ids = Array.from({ length: 12 }, (_, index) => `a${index}`)
    await Promise.all(ids.map((id) => shop.orders.authorise(attempt(id))))
    await provider.send('PUT', '/simulator/profile', { errorShare: 0.3, seed: 5 })
    const settled = async () => {
      const [row] = await shop.database.ask<{ left: number }>(
        `select count(*)::int as left from operation where state = 'pending'`,
      )
      return row?.left === 0
    }
    await until('all is settled', settled)
    const amount = euros(1000)
    await Promise.all(
      ids.flatMap((attemptId) => [shop, other].map(({ orders }) => orders.capture({ attemptId, amount }))),
    )
    await until('all is captured', settled)
    for (const id of ids) assert.deepEqual(await doneAt(provider, id), ['authorisation 1000', 'capture 1000'])
    const [books] = await shop.database.ask<{ sum: string }>(
      `select sum(debit)::text as sum from ledger_entry where account = 'provider_clearing'`,
    )
    assert.equal(books?.sum, '12000')
  })

  it('ask before they repeat, where the provider does not know repeats', async (t) => {
    const { shop, provider } = await openBoth(t)
    await provider.send('PUT', '/simulator/profile', { honoursIdempotencyKeys: false, timeoutAfterShare: 1 })
    await shop.orders.authorise(attempt('a'))
    await provider.send('PUT', '/simulator/profile', { honoursIdempotencyKeys: false })
    const statusOf = async () => (await shop.orders.status({ attemptId: 'a' })).status
    await until('it is authorised', async () => (await statusOf()) === 'authorised')
    assert.deepEqual(await doneAt(provider, 'a'), ['authorisation 1000'])
  })

  it('wait as long as the provider asks for', async (t) => {
    const { shop, provider } = await openBoth(t)
    await provider.send('PUT', '/simulator/profile', { busyShare: 1 })
    await shop.orders.authorise(attempt('a'))
    const [row] = await shop.database.ask<{ waits: boolean }>(
      `select due_at > now() + interval '500 milliseconds' as waits from operation`,
    )
    assert.deepEqual(row, { waits: true })
  })
})

describe('payments.reconcile', () => {
  it('finds nothing where both have the same', async (t) => {
    const { shop } = await openBoth(t)
    assert.equal((await shop.admin.reconciliation()).at, null)
    await shop.orders.authorise(attempt('a'))
    await shop.orders.capture({ attemptId: 'a', amount: euros(1000) })
    await shop.orders.refund({ attemptId: 'a', refundId: 'r', amount: euros(1), reason: '' })
    const [first] = await Promise.all([1, 2, 3].map(() => shop.admin.reconcile()))
    assert.deepEqual([first?.differencesTotal, first?.differences], [0, []])
    const { at, matched, position } = await shop.admin.reconcile()
    assert.ok(at !== null)
    assert.deepEqual([matched, position], [2, 3])
  })

  it('finds what only one side has, and what is not the same', async (t) => {
    const { shop, provider } = await openBoth(t)
    for (const id of ['a', 'b']) {
      await shop.orders.authorise(attempt(id))
      await shop.orders.capture({ attemptId: id, amount: euros(1000) })
    }
    const [charge] = (await provider.send('GET', '/v1/charges?reference=a')).body.items
    await provider.send('POST', `/v1/charges/${charge.id}/refund`, { amount: 5, reference: 'by hand' })
    await shop.database.ask(`update operation set amount = 999 where id = 'b.capture'`)
    await shop.database.ask(
      `insert into operation (id, attempt_id, kind, refund_id, amount, state, settled_at)
       values ('a.refund.x', 'a', 'refund', 'x', 7, 'done', now())`,
    )
    const found = await shop.admin.reconcile()
    assert.equal(found.differencesTotal, 3)
    assert.deepEqual(found.differences, [
      { kind: 'missing_there', reference: 'a.refund.x', movement: 'refund', ours: euros(7), theirs: null },
      { kind: 'differs', reference: 'b.capture', movement: 'capture', ours: euros(999), theirs: euros(1000) },
      { kind: 'missing_here', reference: 'by hand', movement: 'refund', ours: null, theirs: euros(5) },
    ])
    assert.deepEqual(await shop.admin.reconciliation(), found)
    const metrics = shop.host.metrics.toPrometheus()
    assert.match(metrics, /^shop_reconciliation_differences 3$/m)
    assert.match(metrics, /^shop_provider_duration_seconds_count\{method="POST"\} 4$/m)
  })

  it('is no difference for a while, what the provider knows before us', async (t) => {
    const port = await findFreePort()
    const shop = await openPayments(t, port, { PAYMENTS_GRACE_MS: '60000' })
    const provider = await openProvider(t, port)
    const { body } = await provider.send('POST', '/v1/charges', {
      token: 'tok_ok',
      amount: 1,
      currency: 'EUR',
      reference: 'z',
    })
    await provider.send('POST', `/v1/charges/${body.charge.id}/capture`, {
      amount: 1,
      reference: 'z.capture',
    })
    assert.equal((await shop.admin.reconcile()).differencesTotal, 0)
    await shop.database.ask(`update provider_entry set read_at = read_at - interval '2 minutes'`)
    assert.equal((await shop.admin.reconcile()).differencesTotal, 1)
  })

  it('is not available while the provider is not', async (t) => {
    const { shop, provider } = await openBoth(t)
    await provider.stop()
    await assert.rejects(shop.admin.reconcile(), { code: 'unavailable' })
    assert.equal((await shop.admin.reconciliation()).at, null)
  })
})
