/**
 * The registry's server: a service like any other, on the contract every process knows.
 *
 * @module
 */
import type { Instance } from '@flotilla/core/directory'
import type { HttpClient } from '@flotilla/core/http-client'
import { MemoryKeyValue } from '@flotilla/core/memory-key-value'
import { HEARTBEAT_MS, registryContract, type Update } from '@flotilla/core/registry'
import { defineService } from '@flotilla/core/service'
import { LeaseTable } from './lease-table.ts'
import { Watchers } from './watchers.ts'

const SWEEP_MS = 1_000
const CHECK_TIMEOUT_MS = 1_000
/** Without a heartbeat for this long an instance is asked whether it is there. */
const SILENCE_MS = HEARTBEAT_MS * 1.5

/** The registry. */
export const registryService = defineService({
  contract: registryContract,
  open({ clock, metrics, http, every, log }) {
    const table = new LeaseTable()
    const watchers = new Watchers()
    const keyValue = new MemoryKeyValue(clock)
    const up = metrics.gauge('flotilla_registry_instances', 'Instances that are up.').with()
    const checking = new Map<string, Promise<void>>()

    const publish = (...news: readonly (Update | undefined)[]): void => {
      for (const update of news) {
        if (update === undefined) continue
        watchers.tell(update)
        if (update.kind !== 'snapshot') {
          const { service, instance } = update.instance
          log.info(`instance ${update.kind}`, {
            of: service,
            which: instance,
            ...(update.kind === 'down' ? { why: update.why } : {}),
          })
        }
      }
      up.set(table.instances.length)
    }

    /** Asks the process itself, for all its services; at most one check of the same process at a time. */
    const check = ({ http: origin }: Instance): Promise<void> => {
      const running = checking.get(origin)
      if (running !== undefined) return running
      const started = answers(http, origin)
        .then((isAnswering) =>
          publish(...table.ofProcess(origin).map((instance) => table.checked(instance, isAnswering))),
        )
        .finally(() => checking.delete(origin))
      checking.set(origin, started)
      return started
    }

    every('look after leases', SWEEP_MS, async () => {
      publish(...table.expire(clock.monotonicMs()))
      await Promise.all(table.doubtful(clock.monotonicMs(), SILENCE_MS).map(check))
    })

    return {
      register(instance, ctx) {
        if (ctx.caller.service !== instance.service) throw ctx.fail('not_yours')
        if (!table.hasRoomFor(instance)) throw ctx.fail('full')
        publish(table.register(instance, clock.monotonicMs()))
        return {}
      },
      deregister(which, ctx) {
        if (ctx.caller.service !== which.service) throw ctx.fail('not_yours')
        publish(table.deregister(which))
        return {}
      },
      async report(which) {
        const instance = table.find(which)
        if (instance !== undefined) await check(instance)
        return {}
      },
      takeTokens: ({ key, ...wish }, { caller }) =>
        keyValue.takeNow({ ...wish, key: keyOf(caller.service, key) }),
      async giveBackTokens({ rests }, { caller }) {
        await keyValue.giveBack(rests.map((rest) => ({ ...rest, key: keyOf(caller.service, rest.key) })))
        return {}
      },
      list: () => ({ instances: [...table.instances] }),
      watch: (_, ctx) =>
        watchers.follow(() => ({ kind: 'snapshot', instances: [...table.instances] }), ctx.signal),
    }
  },
})

/** Names of services have no spaces. */
function keyOf(service: string | undefined, key: string): string {
  return `${service} ${key}`
}

/** True when the process wants calls. */
async function answers(http: HttpClient, origin: string): Promise<boolean> {
  try {
    const url = `${origin}/health/ready`
    const { status } = await http.send({ method: 'GET', url, timeoutMs: CHECK_TIMEOUT_MS })
    return status === 200
  } catch {
    // No answer is an answer here.
    return false
  }
}
