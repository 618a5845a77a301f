/**
 * 1 to 3: money is conserved, nobody is charged for nothing, nothing is ordered or charged twice.
 *
 * @module
 */
import type { Queries } from '@flotilla/core/queries'
import { sql } from '@flotilla/core/sql'
import { cameToNothing, type OrderSeen, refundedOf, seeOrders, wasConfirmed } from './orders.ts'
import { type Check, Finding, type Found } from './report.ts'
import type { World } from './world.ts'

interface Odd {
  readonly id: string
  readonly what: string
}

const MONEY = '1 Money is conserved'
const CHARGE = '2 No charge without an order, no confirmed order without its money'
const ONCE = '3 At most one order and one capture per cart and key'

/** The checks. */
export const moneyChecks: readonly Check[] = [
  {
    invariant: MONEY,
    says: 'the books of payments balance, and say of each attempt what the attempt says',
    holds: 'always',
    look: (world) =>
      world.read('payments', async (queries) =>
        odd(await count(queries, 'attempt'), [
          ...(await queries.many<Odd>(sql`
            select transaction_id as id, 'debits are not credits' as what from ledger_entry
            group by transaction_id having sum(debit) <> sum(credit)`)),
          ...(await queries.many<Odd>(sql`
            select attempt.id, format('the books say %s, the attempt %s - %s', coalesce(sum(debit - credit), 0), captured,
              refunded) as what
            from attempt left join ledger_entry on attempt_id = attempt.id and account = 'provider_clearing'
            group by attempt.id having coalesce(sum(debit - credit), 0) <> captured - refunded`)),
        ]),
      ),
  },
  {
    invariant: MONEY,
    says: "the provider's ledger says of each charge what the charge says",
    holds: 'always',
    look: (world) =>
      world.read('provider', async (queries) =>
        odd(
          await count(queries, 'charge'),
          await queries.many<Odd>(sql`
            select charge.id, format('captured %s, refunded %s', captured, refunded) as what
            from charge join ledger on charge_id = charge.id group by charge.id
            having coalesce(sum(ledger.amount) filter (where kind = 'capture'), 0) <> captured
              or coalesce(sum(ledger.amount) filter (where kind = 'refund'), 0) <> refunded`),
        ),
      ),
  },
  {
    invariant: MONEY,
    says: 'provider, payments and orders agree about what was kept for each order, and nothing is still held',
    holds: 'settled',
    look: agreement,
  },
  {
    invariant: CHARGE,
    says: 'every charge and every attempt has its order; every confirmed order had its money first',
    holds: 'settled',
    look: chargesHaveOrders,
  },
  {
    invariant: ONCE,
    says: 'a charge is authorised once and captured at most once',
    holds: 'always',
    look: (world) =>
      world.read('provider', async (queries) =>
        odd(await count(queries, 'charge'), [
          ...(await queries.many<Odd>(sql`
            select reference as id, format('%s charges', count(*)) as what from charge
            group by reference having count(*) > 1`)),
          ...(await queries.many<Odd>(sql`
            select charge_id as id, format('%s times %s', count(*), kind) as what from ledger where kind <> 'refund'
            group by charge_id, kind having count(*) > 1`)),
          ...(await queries.many<Odd>(sql`
            select reference as id, format('%s entries', count(*)) as what from ledger
            group by reference having count(*) > 1`)),
        ]),
      ),
  },
  {
    invariant: ONCE,
    says: 'a cart has at most one order that stands, an order one attempt to pay',
    holds: 'always',
    look: cartsAndAttempts,
  },
  {
    invariant: ONCE,
    says: 'all answers to one key speak of one order',
    holds: 'always',
    look: keysAndOrders,
  },
]

function odd(checked: number, rows: readonly Odd[]): Found {
  return { checked, violations: rows.map(({ id, what }) => ({ what, ids: [id] })) }
}

async function count(queries: Queries, table: 'attempt' | 'charge'): Promise<number> {
  const { rows } = await queries.one<{ rows: number }>(
    table === 'attempt'
      ? sql`select count(*) as rows from attempt`
      : sql`select count(*) as rows from charge`,
  )
  return rows
}

/** What the shop may keep of an order. */
function owedFor(order: OrderSeen): number {
  return cameToNothing(order) || order.status === 'pending'
    ? 0
    : order.placed.totals.total.amount - refundedOf(order)
}

interface Attempt {
  readonly id: string
  readonly orderId: string | null
  readonly state: string
  readonly captured: number
  readonly refunded: number
}

interface Charge {
  readonly reference: string
  readonly status: string
  readonly captured: number
  readonly refunded: number
}

async function seePayments(world: World): Promise<{ attempts: Attempt[]; charges: Map<string, Charge> }> {
  const attempts = await world.rows<Attempt>(
    'payments',
    sql`select id, order_id as "orderId", state, captured, refunded from attempt`,
  )
  const charges = await world.rows<Charge>(
    'provider',
    sql`select reference, status, captured, refunded from charge`,
  )
  return { attempts, charges: new Map(charges.map((charge) => [charge.reference, charge])) }
}

async function agreement(world: World): Promise<Found> {
  const finding = new Finding()
  const { attempts, charges } = await seePayments(world)
  const byId = new Map(attempts.map((attempt) => [attempt.id, attempt]))
  const none = { captured: 0, refunded: 0, state: 'none', status: 'none' }
  for (const order of (await seeOrders(world)).values()) {
    const { attemptId } = order.placed
    const attempt = byId.get(attemptId) ?? none
    const charge = charges.get(attemptId) ?? none
    const [owed, kept, got] = [
      owedFor(order),
      attempt.captured - attempt.refunded,
      charge.captured - charge.refunded,
    ]
    const { id, status, payment } = order
    finding.expect(
      owed === kept && kept === got,
      id,
      () =>
        `the order (${status}/${payment}) is owed ${owed}, payments kept ${kept}, the provider took ${got}`,
    )
    finding.expect(charge.status !== 'authorised', id, 'the money is held and neither taken nor let go')
    finding.expect(
      !/ing$/.test(attempt.state),
      id,
      () => `the payment is ${attempt.state}, and nobody knows more`,
    )
  }
  return finding
}

async function chargesHaveOrders(world: World): Promise<Found> {
  const finding = new Finding()
  const orders = await seeOrders(world)
  const { attempts, charges } = await seePayments(world)
  const known = new Map(attempts.map((attempt) => [attempt.id, attempt]))
  const wanted = new Set([...orders.values()].map(({ placed }) => placed.attemptId))
  for (const reference of charges.keys()) {
    finding.expect(known.has(reference) && wanted.has(reference), reference, 'a charge that nobody asked for')
  }
  for (const { id, orderId } of attempts) {
    finding.expect(wanted.has(id), id, () => `an attempt to pay for ${orderId}, which is no order`)
  }
  for (const order of orders.values()) {
    const { id, types, placed } = order
    const total = placed.totals.total.amount
    if (!wasConfirmed(order) || total === 0) continue
    const isPaidFirst =
      types.includes('authorised') && types.indexOf('authorised') < types.indexOf('confirmed')
    const captured = charges.get(placed.attemptId)?.captured ?? 0
    finding.expect(isPaidFirst, id, 'it was confirmed before its money was certain')
    finding.expect(captured === total, id, () => `it was confirmed for ${total}, and ${captured} was taken`)
  }
  return finding
}

async function cartsAndAttempts(world: World): Promise<Found> {
  const finding = new Finding()
  const byCart = new Map<string, string[]>()
  const byAttempt = new Map<string, string[]>()
  for (const order of (await seeOrders(world)).values()) {
    const { cartId, attemptId } = order.placed
    if (!cameToNothing(order)) byCart.set(cartId, [...(byCart.get(cartId) ?? []), order.id])
    byAttempt.set(attemptId, [...(byAttempt.get(attemptId) ?? []), order.id])
  }
  for (const [cart, ids] of byCart) finding.expect(ids.length === 1, ids, `orders of one cart ${cart}`)
  for (const [attempt, ids] of byAttempt)
    finding.expect(ids.length === 1, ids, `orders of one attempt ${attempt}`)
  for (const { id, attempts } of await world.rows<{ id: string; attempts: number }>(
    'payments',
    sql`select order_id as id, count(*) as attempts from attempt where order_id is not null group by 1`,
  )) {
    finding.expect(attempts === 1, id, () => `${attempts} attempts to pay`)
  }
  return finding
}

async function keysAndOrders(world: World): Promise<Found> {
  const finding = new Finding()
  const byKey = new Map<string, Set<string>>()
  for (const { intent, userId, key, status, body } of world.journal.entries) {
    if (intent !== 'place' || key === undefined) continue
    const id = status === 201 || status === 202 ? body.id : body?.data?.orderId
    if (typeof id !== 'string') continue
    const name = `${userId} ${key}`
    byKey.set(name, (byKey.get(name) ?? new Set()).add(id))
  }
  for (const [key, ids] of byKey) finding.expect(ids.size === 1, [...ids], `orders of one key ${key}`)
  return finding
}
