import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { anyone } from '@flotilla/core/access'
import { defineApp } from '@flotilla/core/app'
import { defineContract } from '@flotilla/core/contract'
import { event } from '@flotilla/core/event'
import { command, query } from '@flotilla/core/operation'
import { Nothing, Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import { openTestApp } from '@flotilla/core/test-app'
import type { TestDatabase } from '@flotilla/core/test-database'
import { until } from '@flotilla/core/until'
import { defineView, fold } from '@flotilla/core/view'
import { rebuildView } from '@flotilla/core/view-generations'
import { openViews } from '@flotilla/core/view-runner'
import { registryService } from '../directory/service.ts'
import { eventLogService } from './service.ts'

const sale = { sku: Type.String(), quantity: Type.Integer() }
const market = defineContract({
  name: 'market',
  version: 1,
  summary: 'Sells, and knows what sells.',
  operations: {
    sell: command({
      summary: 'Sells.',
      access: anyone,
      idempotency: 'none',
      input: Type.Object(sale),
      output: Nothing,
    }),
    sold: query({
      summary: 'How much was sold.',
      access: anyone,
      output: Type.Object({ quantity: Type.Integer() }),
    }),
    rebuild: command({ summary: 'Counts anew.', access: anyone, idempotency: 'none', output: Nothing }),
  },
  events: {
    sold: event({ version: 1, key: 'sku', summary: 'Something was sold.', data: Type.Object(sale) }),
  },
})

const popular = defineView({
  name: 'popular',
  version: 1,
  tables: [sql`create table popular (sku text primary key, sold integer not null)`],
  on: [
    fold(market.events.sold, async (sold, tx) => {
      for (const { data } of sold) {
        await tx.execute(sql`insert into popular as p values (${data.sku}, ${data.quantity})
          on conflict (sku) do update set sold = p.sold + excluded.sold`)
      }
    }),
  ],
})

const marketService = defineService({
  contract: market,
  database: { migrations: 'migrations' },
  async open(runtime) {
    await openViews(runtime, [popular])
    return {
      sell: (input, ctx) =>
        ctx.commit(async (tx) => {
          await ctx.publish(tx, market.events.sold, input)
          return {}
        }),
      sold: (_, ctx) =>
        ctx.db.one(sql`select coalesce(sum(sold), 0)::int as quantity from view_popular.popular`),
      rebuild: async (_, ctx) => {
        await rebuildView(ctx.db, popular)
        return {}
      },
    }
  },
})

describe('views of a service', () => {
  it('follow the event log, and are built anew while it goes on', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'flotilla-views-'))
    t.after(() => rm(folder, { recursive: true }))
    await mkdir(join(folder, 'migrations'))
    const app = defineApp({
      name: 'test',
      folder,
      services: {
        registry: async () => registryService,
        events: async () => eventLogService,
        market: async () => marketService,
      },
    })
    const { call, databases } = await openTestApp(t, { app, placement: 'frames' })
    const calls = call(market)
    const database = databases.get('market') as TestDatabase
    const live = async () => (await database.ask<{ live: number }>('select live from flotilla.view'))[0]?.live
    let sold = 0
    let seen = 0
    const sellAndLook = async () => {
      await calls.sell({ sku: `s${sold % 5}`, quantity: 1 })
      sold++
      const { quantity } = await calls.sold({})
      assert.ok(quantity >= seen && quantity <= sold, `${quantity} after ${seen}, of ${sold}`)
      seen = quantity
    }
    for (let n = 0; n < 20; n++) await sellAndLook()
    for (const generation of [2, 3]) {
      await calls.rebuild({})
      await until(`generation ${generation} is live`, async () => {
        await sellAndLook()
        return (await live()) === generation
      })
    }
    await until('everything is counted', async () => (await calls.sold({})).quantity === sold)
    await until('the groups of dropped generations are gone', async () => {
      const groups = await database.ask('select distinct group_name as name from flotilla.subscription')
      return groups.length === 1 && groups[0]?.['name'] === 'view_popular__3'
    })
  })
})
