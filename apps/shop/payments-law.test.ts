/** The law of payments: whatever is asked for, in whatever order, and whatever goes wrong, both sides end up with the same. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import fc from 'fast-check'
import { attempt, euros, type OpenedPayments, openBoth } from './opened-payments.test.ts'
import type { OpenedProvider } from './provider/opened-provider.test.ts'

const HELD = 100

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('authorise' as const),
      token: fc.constantFrom(
        'tok_ok',
        'tok_ok',
        'tok_timeout_after_charge',
        'tok_error_once',
        'tok_declined',
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('capture' as const), amount: fc.constantFrom(60, HELD) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('void' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('refund' as const),
      refundId: fc.constantFrom('r1', 'r2', 'r3', 'r4'),
      amount: fc.constantFrom(10, 30, 60),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('outage' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** Evenly: doubles of their own accord are mostly next to nothing. */
const share = (max: number) =>
  fc.noBias(fc.integer({ min: 0, max: max * 100 })).map((percent) => percent / 100)
const profile = fc.record({
  seed: fc.nat(1_000_000),
  latencyMedianMs: fc.constantFrom(1, 10),
  latencyP99Ms: fc.constantFrom(10, 200),
  timeoutAfterShare: share(0.3),
  timeoutBeforeShare: share(0.2),
  errorShare: share(0.4),
  busyShare: share(0.03),
  webhookDuplicateShare: share(0.5),
  webhookLateShare: share(0.5),
  webhookLateMsMax: fc.constant(300),
})

/** What happens to an attempt: how far it comes before anything goes wrong, then two steps at a time. */
const history = fc.record({
  beginning: fc.constantFrom('nothing', 'authorised', 'captured', 'captured'),
  steps: fc.array(step, { minLength: 1, maxLength: 6 }),
})

/** Refusals are answers: the law is about what is left in the end. */
const answered = (call: Promise<unknown>): Promise<unknown> =>
  call.catch((error: { reason?: string; code?: string }) => {
    if (error.reason === undefined && error.code !== 'aborted') throw error
  })

async function play(
  { orders }: OpenedPayments,
  provider: OpenedProvider,
  faults: object,
  attemptId: string,
  one: Step,
): Promise<unknown> {
  switch (one.do) {
    case 'authorise':
      return answered(orders.authorise(attempt(attemptId, one.token, HELD)))
    case 'capture':
      return answered(orders.capture({ attemptId, amount: euros(one.amount) }))
    case 'void':
      return answered(orders.void({ attemptId }))
    case 'refund': {
      const { refundId, amount } = one
      return answered(orders.refund({ attemptId, refundId, amount: euros(amount), reason: '' }))
    }
    case 'outage': {
      const outageUntil = new Date(Date.now() + 200).toISOString()
      return provider.send('PUT', '/simulator/profile', { ...faults, outageUntil })
    }
  }
}

const OURS = `select o.id || ' ' || case
    when kind = 'authorise' then case o.state when 'done' then 'authorisation' else 'decline' end else kind end
    || ' ' || o.amount as what
  from operation o where attempt_id like $1 and (o.state = 'done' or kind = 'authorise') order by 1`
const THEIRS = `select l.reference || ' ' || l.kind || ' ' || l.amount as what
  from ledger l join charge c on c.id = charge_id where c.reference like $1 order by 1`
/** Attempts whose state or amounts are not what their operations say. */
const WRONG = `select a.id, a.state, a.captured, a.refunded from attempt a,
    lateral (select coalesce(sum(amount) filter (where kind = 'capture'), 0) as captured,
        coalesce(sum(amount) filter (where kind = 'refund'), 0) as refunded,
        count(*) filter (where kind = 'capture') as captures, count(*) filter (where kind = 'void') as voids
      from operation where attempt_id = a.id and state = 'done') o,
    lateral (select coalesce(sum(debit - credit) filter (where account = 'provider_clearing'), 0) as balance
      from ledger_entry where attempt_id = a.id) l
  where a.captured <> o.captured or a.refunded <> o.refunded or a.captured - a.refunded <> l.balance
    or a.capturing <> 0 or a.refunding <> 0 or captures > 1 or captures + voids > 1
    or a.state <> case
      when o.captured > 0 and o.refunded = 0 then 'captured'
      when o.captured > 0 and o.refunded < o.captured then 'partially_refunded'
      when o.captured > 0 then 'refunded' when voids > 0 or a.amount is null then 'voided'
      when a.authorised > 0 then 'authorised' else 'declined' end`

describe('payments', () => {
  it('and the provider end up with the same books, whatever happens', async (t) => {
    const { shop, provider } = await openBoth(t, {
      hasWebhooks: true,
      environment: { PAYMENTS_PROVIDER_TIMEOUT_MS: '150' },
    })
    const { database } = shop
    const compare = async (prefix: string): Promise<void> => {
      const whats = (rows: readonly { what: string }[]) => rows.map(({ what }) => what)
      const ours = await database.ask<{ what: string }>(OURS, [`${prefix}%`])
      const theirs = await provider.database.ask<{ what: string }>(THEIRS, [`${prefix}%`])
      assert.deepEqual(whats(ours), whats(theirs))
    }
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(history, { minLength: 1, maxLength: 4 }),
        profile,
        async (histories, faults) => {
          const prefix = `run${run++}-`
          for (const [index, { beginning }] of histories.entries()) {
            const attemptId = `${prefix}${index}`
            if (beginning !== 'nothing') await shop.orders.authorise(attempt(attemptId, 'tok_ok', HELD))
            if (beginning === 'captured') await shop.orders.capture({ attemptId, amount: euros(HELD) })
          }
          await provider.send('PUT', '/simulator/profile', faults)
          const playAll = async (steps: readonly Step[], index: number): Promise<void> => {
            const one = (step: Step | undefined) =>
              step && play(shop, provider, faults, `${prefix}${index}`, step)
            for (let at = 0; at < steps.length; at += 2)
              await Promise.all([one(steps[at]), one(steps[at + 1])])
          }
          await Promise.all(histories.map(({ steps }, index) => playAll(steps, index)))
          await provider.send('DELETE', '/simulator/profile')
          const isSettled = async (): Promise<boolean> =>
            (await database.ask(`select from operation where state = 'pending' limit 1`)).length === 0
          await until('everything is settled', isSettled)
          await compare(prefix)
          assert.deepEqual(await database.ask(WRONG), [])
          assert.deepEqual((await shop.admin.reconcile()).differences, [])
        },
      ),
      { numRuns: 20, endOnFailure: true },
    )
    // Once more: what was still on its way to the provider, when everything was settled, has arrived.
    await compare('run')
  })
})
