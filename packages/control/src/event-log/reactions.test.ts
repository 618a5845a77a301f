import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { anyone } from '@flotilla/core/access'
import { defineApp } from '@flotilla/core/app'
import { systemClock } from '@flotilla/core/clock'
import { defineContract } from '@flotilla/core/contract'
import type { Envelope } from '@flotilla/core/envelope'
import { event } from '@flotilla/core/event'
import { command } from '@flotilla/core/operation'
import { on, onAny } from '@flotilla/core/reaction'
import { Nothing, Type } from '@flotilla/core/schema'
import { defineService, type Service } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import { openTestApp, testPlacements } from '@flotilla/core/test-app'
import { until } from '@flotilla/core/until'
import { registryService } from '../directory/service.ts'
import { eventLogService } from './service.ts'

const name = 'kitchen'
const summary = 'Cooks.'
const operations = {
  order: command({
    summary: 'Orders a dish.',
    access: anyone,
    idempotency: 'none',
    input: Type.Object({ dish: Type.String() }),
    output: Nothing,
  }),
}

/** As the kitchen publishes it: an old version. */
const oldKitchen = defineContract({
  name,
  version: 1,
  summary,
  operations,
  events: {
    ordered: event({
      version: 1,
      key: 'dish',
      summary: 'Ordered.',
      data: Type.Object({ dish: Type.String() }),
    }),
  },
})

/** As the waiter reads it. */
const kitchen = defineContract({
  name,
  version: 1,
  summary,
  operations,
  events: {
    ordered: event({
      version: 2,
      key: 'dish',
      summary: 'Ordered.',
      data: Type.Object({ dish: Type.String(), guests: Type.Integer() }),
      upcasts: { 1: (data: { dish: string }) => ({ ...data, guests: 1 }) },
    }),
  },
})

const waiter = defineContract({
  name: 'waiter',
  version: 1,
  summary: 'Serves.',
  operations: {},
  events: {
    served: event({
      version: 1,
      key: 'dish',
      summary: 'Served.',
      data: Type.Object({ dish: Type.String(), guests: Type.Integer() }),
    }),
  },
})
const guest = defineContract({ name: 'guest', version: 1, summary: 'Sees it all.', operations: {} })

function openApp(folder: string, seen: { everything: Envelope[]; ofWaiter: Envelope[] }, hasLog = true) {
  const database = { migrations: 'migrations' }
  const kitchenService = defineService({
    contract: oldKitchen,
    database,
    open: () => ({
      order: (input, ctx) =>
        ctx.commit(async (tx) => {
          await ctx.publish(tx, oldKitchen.events.ordered, input)
          return {}
        }),
    }),
  })
  const waiterService = defineService({
    contract: waiter,
    database,
    reactions: [
      on(kitchen.events.ordered, async ({ data }, ctx) => {
        await ctx.tx.execute(sql`insert into served values (${data.dish})`)
        await ctx.publish(ctx.tx, waiter.events.served, data)
      }),
    ],
    open: () => ({}),
  })
  const guestService = defineService({
    contract: guest,
    database,
    reactions: [
      onAny('*', async (told, { tx }) => {
        tx.afterCommit(() => seen.everything.push(told as Envelope))
      }),
      onAny('waiter.*', async (told, { tx }) => {
        tx.afterCommit(() => seen.ofWaiter.push(told as Envelope))
      }),
    ],
    open: () => ({}),
  })
  const services: Readonly<Record<string, () => Promise<Service>>> = {
    registry: async () => registryService,
    kitchen: async () => kitchenService,
    waiter: async () => waiterService,
    guest: async () => guestService,
  }
  const log = { events: async () => eventLogService }
  return defineApp({ name: 'test', folder, services: hasLog ? { ...services, ...log } : services })
}

async function openFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-reactions-'))
  t.after(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, 'migrations'))
  await writeFile(join(folder, 'migrations/0001-served.sql'), 'create table served (dish text not null);')
  return folder
}

describe('reactions of services', () => {
  for (const placement of testPlacements) {
    it(`follow from one another, and say so (${placement})`, async (t) => {
      const seen: { everything: Envelope[]; ofWaiter: Envelope[] } = { everything: [], ofWaiter: [] }
      const app = openApp(await openFolder(t), seen)
      const { call, hosts } = await openTestApp(t, { app, placement })
      await call(oldKitchen).order({ dish: 'soup' })
      await until('both events were seen', () => seen.everything.length === 2)
      const [ordered, served] = seen.everything as [Envelope, Envelope]
      assert.deepEqual(
        [ordered.type, ordered.version, ordered.data],
        ['kitchen.ordered', 1, { dish: 'soup' }],
      )
      assert.deepEqual(
        [served.type, served.data],
        ['waiter.served', { dish: 'soup', guests: 1 }],
        'the waiter reads the old version as the new one',
      )
      assert.equal(ordered.causationId, null)
      assert.equal(served.causationId, ordered.id)
      assert.equal(served.correlationId, ordered.correlationId)
      assert.equal(served.traceparent.split('-')[1], ordered.traceparent.split('-')[1])
      assert.deepEqual(
        seen.ofWaiter.map(({ id }) => id),
        [served.id],
      )
      const startMs = systemClock.monotonicMs()
      await Promise.all(hosts.map((host) => host.close()))
      const tookMs = systemClock.monotonicMs() - startMs
      assert.ok(tookMs < 10_000, `closing took ${tookMs} ms`)
    })
  }

  it('wait for an event log where the app has none', async (t) => {
    const seen: { everything: Envelope[]; ofWaiter: Envelope[] } = { everything: [], ofWaiter: [] }
    const app = openApp(await openFolder(t), seen, false)
    const { call, databases } = await openTestApp(t, { app, placement: 'one process' })
    await call(oldKitchen).order({ dish: 'soup' })
    assert.equal((await databases.get('kitchen')?.ask('select from flotilla.outbox'))?.length, 1)
  })
})
