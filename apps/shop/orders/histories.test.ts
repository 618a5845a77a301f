/** Whatever is tried with an order, and in whatever order: its history is a legal one, and its row says the same. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { isFlotillaError } from '@flotilla/core/error'
import { createLogger } from '@flotilla/core/log'
import { Metrics } from '@flotilla/core/metrics'
import { migrate } from '@flotilla/core/migrate'
import { platformMigrations } from '@flotilla/core/migration-files'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import { testCall } from '@flotilla/core/test-call'
import { openTestDatabase } from '@flotilla/core/test-database'
import fc from 'fast-check'
import { type OrderEvent, type OrderState, orderAggregate, stateAfter } from './order.ts'
import { changeOrder } from './order-store.ts'

const origin = { actor: { kind: 'user', id: 'u' }, cause: 'a test' }
const eur = (amount: number) => ({ amount, currency: 'EUR' })

/** The paths there are, written down once more and in another way than in `transitions.ts`. */
const PATHS = {
  status: /^pending( (rejected|expired|cancelled|confirmed( (cancelled|shipped( delivered)?))?))?$/,
  paymentStatus:
    /^(none|processing( (declined|voided|authorised( (voided|captured( partially_refunded)?( refunded)?))?))?)$/,
  fulfilmentStatus: /^unfulfilled( (stopped|shipped( delivered)?))?$/,
} as const

function placed(total: number): OrderEvent {
  const zero = eur(0)
  return {
    type: 'placed',
    data: {
      userId: 'u',
      email: 'u@shop.test',
      cartId: randomUUID(),
      lines: [],
      totals: {
        subtotal: eur(total),
        discount: zero,
        shipping: zero,
        shippingTax: zero,
        tax: zero,
        total: eur(total),
      },
      shippingAddress: { name: 'A', line1: 'B', postcode: '1', city: 'C', country: 'DE' },
      attemptId: 'attempt',
    },
  }
}

const refundId = fc.constantFrom('r1', 'r2')
const ended = fc.record({
  reason: fc.constant('why'),
  paymentStatus: fc.constantFrom('none', 'declined', 'voided'),
})
const bare = (type: 'confirmed' | 'captured' | 'checkedOut' | 'cancelWished') => ({
  type,
  data: fc.constant({}),
})

const operators = {
  log: createLogger({ level: 'silent', clock: systemClock, fields: {} }),
  metrics: new Metrics(),
}

/** Everything that may be tried. */
const kinds = [
  { type: 'placed', data: fc.constantFrom(0, 100).map((total) => placed(total).data) },
  { type: 'authorised', data: fc.constant({}) },
  bare('confirmed'),
  bare('captured'),
  bare('checkedOut'),
  bare('cancelWished'),
  { type: 'cancelRefused', data: fc.constant({ reason: 'why' }) },
  { type: 'rejected', data: ended },
  { type: 'expired', data: ended },
  { type: 'abandoned', data: ended },
  { type: 'cancelled', data: fc.constant({ reason: 'why' }) },
  {
    type: 'refundStarted',
    data: fc.record({ refundId, amount: fc.constantFrom(eur(40), eur(60)), reason: fc.constant('why') }),
  },
  { type: 'refunded', data: fc.record({ refundId }) },
  { type: 'refundFailed', data: fc.record({ refundId }) },
  { type: 'shipped', data: fc.constant({ shipmentId: 's' }) },
  { type: 'delivered', data: fc.constant({ shipmentId: 's' }) },
] as const

const tried = fc.oneof(
  ...kinds.map(({ type, data }) => (data as fc.Arbitrary<object>).map((one) => ({ type, data: one }))),
) as fc.Arbitrary<OrderEvent>

/** So that more than the first steps are reached. */
const usual: readonly OrderEvent[] = [
  { type: 'authorised', data: {} },
  { type: 'confirmed', data: {} },
  { type: 'captured', data: {} },
]

describe('the histories of orders', () => {
  it('are legal whatever is tried', async (t) => {
    const database = await openTestDatabase(t)
    const folder = join(import.meta.dirname, '..', '..', 'orders', 'migrations')
    await migrate(database.url, [platformMigrations, { name: 'orders', folder }])
    const session = database.open().session(testCall(300_000))
    const append = (id: string, event: OrderEvent) =>
      session.transaction(async (tx) => {
        await changeOrder(operators, tx, await orderAggregate.load(tx, id), [event], origin)
      })
    const events = fc.array(tried, { maxLength: 12 })
    const property = fc.asyncProperty(
      fc.constantFrom(0, 100),
      fc.nat({ max: usual.length }),
      events,
      async (total, steps, more) => {
        const id = randomUUID()
        await append(id, placed(total))
        for (const event of [...usual.slice(0, steps), ...more]) {
          await append(id, event).catch((error: unknown) => {
            assert.ok(isFlotillaError(error) && error.code === 'internal', String(error))
          })
        }
        await assertLegal(session, id)
      },
    )
    await fc.assert(property, { numRuns: 80 })
  })
})

async function assertLegal(session: Session, id: string): Promise<void> {
  const past = await orderAggregate.history(session, id, { limit: 1_000 })
  const states: OrderState[] = []
  for (const one of past) states.push(stateAfter(states.at(-1), one))
  assert.deepEqual(
    past.map(({ version }) => version),
    past.map((_, index) => index + 1),
  )
  assert.equal(past.filter(({ type }) => type === 'placed').length, 1)
  for (const [dimension, path] of Object.entries(PATHS)) {
    const all = states.map((state) => state[dimension as keyof typeof PATHS])
    const walked = all.filter((one, index) => one !== all[index - 1]).join(' ')
    assert.match(walked, path)
  }
  const { version, state } = await orderAggregate.load(session, id)
  assert.deepEqual([version, state], [past.length, states.at(-1)])
  const row = await session.one(sql`
    select version, status, payment_status as "paymentStatus", fulfilment_status as "fulfilmentStatus"
    from "order" where id = ${id}`)
  const { status, paymentStatus, fulfilmentStatus } = state
  assert.deepEqual(row, { version, status, paymentStatus, fulfilmentStatus })
}
