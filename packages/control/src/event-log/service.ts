/**
 * The event log's server: a service like any other, on the contract every process knows.
 *
 * @module
 */
import { eventLog } from '@flotilla/core/event-log-contract'
import { Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { PostgresLog } from './postgres-log.ts'
import { findEvent, listTopics, readEvents } from './reading.ts'

/** How long work on the database may take, beside that of calls that have a deadline of their own. */
const WORK_MS = 10_000
const PRUNE_MS = 600_000
/** Transactions of one turn. */
const PRUNES_MAX = 200
const DAY_MS = 86_400_000

/** The event log. */
export const eventLogService = defineService({
  contract: eventLog,
  config: Type.Object({
    retentionDays: Type.Integer({
      minimum: 1,
      maximum: 36_500,
      default: 30,
      description: 'days after which events are forgotten',
    }),
  }),
  // Found by the package's name: this code may run from a bundle that lies somewhere else.
  database: {
    migrations: new URL(
      '.',
      import.meta.resolve('@flotilla/control/migrations/event-log/0001-event-log.sql'),
    ),
  },
  async open({ run, listen, every, clock, log, metrics, instance, closing, config }) {
    const events = await PostgresLog.open({
      use: (work) => run('work on the event log', WORK_MS, (ctx) => work(ctx.db)),
      listen,
      clock,
      log,
      metrics,
      instance,
    })
    closing.defer('followers', () => events.close())
    every('forget old events', PRUNE_MS, async () => {
      for (let turn = 0; turn < PRUNES_MAX; turn++)
        if ((await events.prune(config.retentionDays * DAY_MS)) === 0) return
    })
    return {
      async append({ source, fencing, events: appended }, ctx) {
        const { service, user } = ctx.caller
        // On behalf of a user nothing is published: what happened, happened, whoever asked for it.
        if (service === undefined || user !== undefined || (source ?? service) !== service)
          throw ctx.fail('not_yours')
        await events.append(service, fencing, appended)
        return {}
      },
      async *follow(options, ctx) {
        for await (const { events: told, ...batch } of events.follow(options, ctx.signal))
          yield { ...batch, events: [...told] }
      },
      head: () => events.head(),
      read: async (wish, ctx) => ({ items: await readEvents(ctx.db, wish) }),
      find: async ({ id }, ctx) => ({ items: await findEvent(ctx.db, id) }),
      topics: async (_, ctx) => ({ items: await listTopics(ctx.db) }),
    }
  },
})
