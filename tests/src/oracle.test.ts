/** The oracle finds nothing wrong after a workload; and what is then made wrong on purpose, it finds. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { TestApp } from '@flotilla/core/test-app'
import { checkAll, checkSome } from './oracle/check.ts'
import { formatReport, type Report } from './oracle/report.ts'
import { settle } from './oracle/settle.ts'
import { openWorld, type World } from './oracle/world.ts'
import { openShop } from './placements.ts'
import { type Journal, openJournal } from './workload/journal.ts'
import { runWorkload } from './workload/run.ts'

/** Something made wrong: SQL in the database of a service, and which invariants must notice. */
const wrongs: readonly (readonly [what: string, service: string, sql: string, ...noticed: number[]])[] = [
  [
    'a capture that is not in the books',
    'payments',
    `delete from ledger_entry where transaction_id = (select min(transaction_id) from ledger_entry)`,
    1,
  ],
  [
    'money that nobody gave back',
    'provider',
    `update charge set refunded = refunded + 1 where captured > refunded`,
    1,
  ],
  [
    'a charge for nothing',
    'provider',
    `insert into charge (id, reference, status, amount, currency, brand, last4, expiry)
      values ('ch_odd', 'nobody', 'authorised', 1, 'EUR', 'visa', '4242', '2030-12')`,
    2,
  ],
  [
    'a second charge for an attempt',
    'provider',
    `insert into charge select 'ch_twice', reference, status, amount, currency, captured, refunded, brand, last4, expiry,
      decline_code, created_at from charge limit 1`,
    3,
  ],
  [
    'a movement that is lost',
    'inventory',
    `delete from movement where (sku, version) = (select sku, version from movement where kind = 'sale' limit 1)`,
    4,
    5,
  ],
  [
    'more sold than there was',
    'inventory',
    `update movement set on_hand_delta = on_hand_delta - 1000000 where version = 2`,
    5,
  ],
  [
    'a reservation that never ends',
    'inventory',
    `update reservation set state = 'active' where order_id = (select min(order_id) from reservation where state = 'committed')`,
    6,
  ],
  ['a change that is lost', 'orders', `delete from flotilla.aggregate_event where version = 3`, 7],
  [
    'a cent too much',
    'orders',
    `update flotilla.aggregate_event set data = jsonb_set(data::jsonb, '{totals,total,amount}',
      to_jsonb((data -> 'totals' -> 'total' ->> 'amount')::integer + 1))::json where type = 'placed'`,
    8,
  ],
  [
    'an order that is lost',
    'orders',
    `delete from flotilla.aggregate_event where id = (select min(id) from flotilla.aggregate_event)`,
    9,
  ],
  ['an event that is lost', 'events', `delete from event where type = 'orders.confirmed'`, 11],
  ['an event that is not handled', 'notifications', `delete from flotilla.inbox`, 11],
  ['an event that waits', 'shipping', `insert into flotilla.outbox (event) values ('{}')`, 11],
  ['a saga that does not end', 'orders', `update flotilla.saga set status = 'parked', step = 'capture'`, 12],
  [
    'a coupon that is used too often',
    'coupons',
    `update coupon set uses = uses + 1 where limit_total is null`,
    13,
  ],
  ['a price that search does not know', 'search', `update entry set version = version - 1`, 14],
  ['a purchase that is forgotten', 'recommendations', `delete from purchase`, 14],
  ['a mail that never came', 'mailbox', `delete from message where template = 'confirmed'`, 14],
  [
    'a list that lags behind',
    'orders',
    `update "order" set status = 'delivered', version = version - 1 where status = 'confirmed'`,
    14,
  ],
  ['a password in a database', 'cart', `update cart set coupon = '5ecre7 of somebody'`, 15],
]

describe('the oracle', () => {
  let shop: TestApp
  let world: World
  let journal: Journal
  const cleanUps: (() => Promise<void>)[] = []
  before(async () => {
    const t = { after: (cleanUp: () => Promise<void>) => cleanUps.push(cleanUp) }
    const opened = await openShop(t, 'one process')
    shop = opened.hosts as TestApp
    const { api, admin } = opened
    journal = openJournal()
    world = openWorld(Object.fromEntries([...shop.databases].map(([name, { url }]) => [name, url])), journal)
    cleanUps.push(() => world.close())
    await runWorkload({ api, admin, seed: 5, orders: 40, concurrency: 4, journal })
    const { waitsFor } = await settle(world, 60_000)
    assert.deepEqual(waitsFor, [])
  })
  after(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp()
  })

  it('finds nothing wrong with what is right, and looks at something everywhere', async () => {
    const report = await checkAll(world)
    assert.ok(report.isGood, formatReport(report))
    const idle = report.lines.filter(({ checked, says }) => checked === 0 && says !== 'no log has')
    assert.deepEqual(idle, [])
  })

  for (const [what, service, sql, ...noticed] of wrongs) {
    it(`notices ${what}`, async () => {
      const found = await withWrong(shop, service, sql, () => checkSome(world, noticed))
      const failed = failedOf(found)
      for (const one of noticed) assert.ok(failed.has(one), `${one} is not among ${[...failed]}`)
    })
  }

  it('notices an answer that changes, and one that shows what is somebody else’s', async () => {
    const entry = journal.entries.find(
      ({ intent, status, waitS }) => intent === 'place' && status === 202 && !waitS,
    )
    assert.ok(entry)
    const [canary] = [...journal.planted.ownerOf].find(([, owner]) => owner !== entry.userId) ?? ['']
    journal.note({ ...entry, body: { ...entry.body, id: 'another' } }, `{"name":"${canary}"}`)
    const broken = [3, 9, 10, 15]
    const failed = failedOf(await checkSome(world, broken))
    for (const one of broken) assert.ok(failed.has(one), `${one} is not among ${[...failed]}`)
  })
})

function failedOf({ lines }: Report): ReadonlySet<number> {
  const failed = lines.filter(({ violations }) => violations.length > 0)
  return new Set(failed.map(({ invariant }) => Number.parseInt(invariant, 10)))
}

/** Copies every table of the service, does what is wrong behind the back of triggers and constraints, and puts all back. */
async function withWrong<T>(shop: TestApp, service: string, sql: string, look: () => Promise<T>): Promise<T> {
  const database = shop.databases.get(service)
  assert.ok(database)
  const tables = await database.ask<{ name: string; columns: string }>(`
    select format('%I.%I', table_schema, table_name) as name,
      string_agg(format('%I', column_name), ', ' order by ordinal_position) as columns
    from information_schema.columns join information_schema.tables using (table_schema, table_name)
    where table_schema in ('public', 'flotilla') and table_type = 'BASE TABLE' and is_generated = 'NEVER'
      and table_name <> 'worker'
    group by table_schema, table_name`)
  const each = (of: (table: { name: string; columns: string }, index: number) => string): string =>
    tables.map(of).join('; ')
  await database.ask(`set session_replication_role = replica;
    ${each(({ name }, index) => `create temporary table before_${index} as select * from ${name}`)}; ${sql}`)
  try {
    return await look()
  } finally {
    await database.ask(
      `${each(({ name, columns }, index) => {
        return `delete from ${name}; insert into ${name} (${columns}) overriding system value select ${columns} from before_${index}; drop table before_${index}`
      })}; set session_replication_role = default`,
    )
  }
}
