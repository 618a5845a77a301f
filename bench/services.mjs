/**
 * The app whose events and sagas are measured: one service that publishes, reacts and runs sagas, beside the event log.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import { defineApp } from '@flotilla/core/app'
import { defineContract } from '@flotilla/core/contract'
import { event } from '@flotilla/core/event'
import { on } from '@flotilla/core/reaction'
import { defineSaga } from '@flotilla/core/saga'
import { openSagas } from '@flotilla/core/sagas'
import { Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'

const Data = Type.Object({
  key: Type.String(),
  number: Type.Integer(),
  amount: Type.Integer(),
  note: Type.String(),
})

const bench = defineContract({
  name: 'bench',
  version: 1,
  summary: 'What is measured.',
  operations: {},
  events: { noted: event({ version: 1, key: 'key', summary: 'Something was noted.', data: Data }) },
})

const saga = defineSaga(
  'order',
  Type.Object({ amount: Type.Integer(), reserved: Type.Optional(Type.String()) }),
)
  .step('reserve', { run: async () => ({ reserved: 'yes' }), undo: async () => undefined })
  .pivot('confirm', { run: async () => undefined })
  .end({ completed: async () => onSagaEnd() })

let onSagaEnd = () => {}

/** Called after the commit of each reaction, with the event's number. */
let onHandled = () => {}
const KEYS = 500
const note = 'x'.repeat(300)

const service = defineService({
  contract: bench,
  database: { migrations: 'migrations' },
  reactions: [
    on(bench.events.noted, ({ data }, { tx }) => {
      const { number, amount } = data
      // Nobody needs an answer: it travels with those of other events, and with the commit.
      tx.send(sql`insert into effect (kind, number, amount) values ('noted', ${number}, ${amount})`)
      tx.afterCommit(() => onHandled(number))
    }),
  ],
  async open(runtime) {
    const sagas = openSagas(runtime, [saga])
    const measures = { latency, drain, sustained, sagas: runSagas }
    const context = { runtime, sagas }
    process.on('message', async ({ measure, options }) => {
      if (measure === undefined) return
      const work = (ctx) => measures[measure](ctx, context, options)
      const result = await runtime.run('measure', 3_600_000, work)
      process.send({ result })
    })
    return {}
  },
})

/** The two services of the bench. */
export const app = defineApp({
  name: 'bench',
  folder: fileURLToPath(new URL('.', import.meta.url)),
  services: {
    registry: async () => (await import('@flotilla/control/directory')).registryService,
    events: async () => (await import('@flotilla/control/event-log')).eventLogService,
    bench: async () => service,
  },
})

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

function publish(ctx, number) {
  const data = { key: `key-${number % KEYS}`, number, amount: 1, note }
  return ctx.db.transaction((tx) => ctx.publish(tx, bench.events.noted, data))
}

/** Events at a steady rate, one transaction each; from before the transaction to after the commit of the reaction. */
async function latency(ctx, _, { perSec, seconds }) {
  const count = perSec * seconds
  const begunMs = new Float64Array(count)
  const tookMs = new Float64Array(count)
  let handled = 0
  onHandled = (number) => {
    tookMs[number] = performance.now() - begunMs[number]
    handled++
  }
  const startMs = performance.now()
  for (let number = 0; number < count; number++) {
    const dueMs = startMs + (number * 1_000) / perSec
    while (performance.now() < dueMs) await sleep(1)
    begunMs[number] = performance.now()
    void publish(ctx, number)
  }
  while (handled < count) await sleep(5)
  // The first second warms up.
  const sorted = tookMs.slice(perSec).sort()
  return { p50Ms: sorted[sorted.length >> 1], p99Ms: sorted[Math.floor(sorted.length * 0.99)], events: count }
}

/** A new group comes to a log that is full, and reacts to each event with one statement, or to all at once. */
async function drain(ctx, { runtime }, { count, isSet, group }) {
  if (count > 0) await fill(ctx, count)
  let seen = 0
  const startMs = performance.now()
  const joined = runtime.join(group, ['bench.*'], async (events, tx) => {
    if (isSet) {
      const numbers = events.map(({ data }) => data.number)
      await tx.execute(
        sql`insert into effect select 'drained', number, 1 from unnest(${numbers}::int[]) as it (number)`,
      )
    } else {
      for (const { data } of events)
        await tx.execute(
          sql`insert into effect (kind, number, amount) values ('drained', ${data.number}, ${data.amount})`,
        )
    }
    tx.afterCommit(() => {
      seen += events.length
    })
  })
  const { total } = await ctx.db.one(sql`select count(*)::int as total from effect where kind = 'noted'`)
  while (seen < total) await sleep(5)
  const tookMs = performance.now() - startMs
  await joined.close()
  return { perSec: (total / tookMs) * 1_000, events: total }
}

/** Publishes quickly, and waits until everything was handled. */
async function fill(ctx, count) {
  let handled = 0
  onHandled = () => handled++
  for (let number = 0; number < count; number += 100) {
    await ctx.db.transaction(async (tx) => {
      for (let n = number; n < number + 100; n++)
        await ctx.publish(tx, bench.events.noted, { key: `key-${n % KEYS}`, number: n, amount: 1, note })
    })
  }
  while (handled < count) await sleep(5)
}

/** Publishers as fast as they can, each event a transaction, and one consumer that keeps up or does not. */
async function sustained(ctx, _, { publishers, seconds }) {
  let [published, handled] = [0, 0]
  onHandled = () => handled++
  const startMs = performance.now()
  const endMs = startMs + seconds * 1_000
  const publisher = async () => {
    while (performance.now() < endMs) await publish(ctx, published++)
  }
  await Promise.all(Array.from({ length: publishers }, publisher))
  const publishedMs = performance.now() - startMs
  const behind = published - handled
  while (handled < published) await sleep(5)
  const tookMs = performance.now() - startMs
  return {
    publishedPerSec: (published / publishedMs) * 1_000,
    perSec: (handled / tookMs) * 1_000,
    behind,
    events: handled,
  }
}

/** Sagas of two steps, so many at once at most. */
async function runSagas(ctx, { sagas }, { count, inFlight, prefix }) {
  let [ended, begun] = [0, 0]
  onSagaEnd = () => ended++
  const startMs = performance.now()
  while (begun < count) {
    while (begun - ended >= inFlight) await sleep(1)
    const size = Math.min(16, count - begun)
    await Promise.all(
      Array.from({ length: size }, async (_, index) => {
        await ctx.db.transaction((tx) => sagas.start(tx, saga, `${prefix}-${begun + index}`, { amount: 1 }))
      }),
    )
    begun += size
  }
  while (ended < count) await sleep(5)
  const tookMs = performance.now() - startMs
  return { perSec: (count / tookMs) * 2_000, events: count * 2 }
}
