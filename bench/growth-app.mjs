/**
 * The app that grows: sixteen services, each of which asks the next and passes its answer on, and one that asks any of them again and
 * again, and measures.
 *
 * @module
 */
import { anyService } from '@flotilla/core/access'
import { defineApp } from '@flotilla/core/app'
import { defineContract } from '@flotilla/core/contract'
import { query } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { until } from './children.mjs'
import { measure, measurePaced } from './measure.mjs'

/** From the first of the longest chain to the last, which asks nobody. */
export const HOPS = Array.from({ length: 16 }, (_, index) => `hop${index + 1}`)
/** The last. */
export const LAST = 'hop16'

const Text = Type.String({ maxLength: 200 })

const contracts = Object.fromEntries(
  HOPS.map((name) => [
    name,
    defineContract({
      name,
      version: 1,
      summary: 'Passes an answer on.',
      operations: {
        get: query({
          summary: 'Gives a product, and who gave it.',
          access: anyService,
          timeoutMs: 10_000,
          input: Type.Object({ id: Text }),
          output: Type.Object({
            id: Text,
            name: Text,
            price: Type.Object({ amount: Type.Integer(), currency: Text }),
            giver: Type.Integer(),
          }),
        }),
      },
    }),
  ]),
)

let opened = 0

function serviceOf(name) {
  const next = contracts[HOPS[HOPS.indexOf(name) + 1]]
  return defineService({
    contract: contracts[name],
    calls: next === undefined ? [] : [next],
    open() {
      const giver = opened++
      const product = {
        name: 'Wireless headphones with a rather long name',
        price: { amount: 12_900, currency: 'EUR' },
        giver,
      }
      return {
        get: async ({ id }, ctx) => (next === undefined ? { id, ...product } : ctx.call(next).get({ id })),
      }
    },
  })
}

/** Whoever was not heard of yet is not among those that are asked. Many at once: who is slow at first is passed over by few. */
async function meet(count, get) {
  const met = new Set()
  await until(`all ${count} were met`, async () => {
    const answers = await Promise.all(Array.from({ length: 4 * count }, get))
    for (const { giver } of answers) met.add(giver)
    return met.size === count
  })
}

const input = { id: 'AUD-0007' }

const caller = defineService({
  contract: defineContract({ name: 'caller', version: 1, summary: 'Asks.', operations: {} }),
  calls: Object.values(contracts),
  open(runtime) {
    process.on('message', async ({ service, givers, inFlight, perSec, durationMs }) => {
      if (service === undefined) return
      await runtime.run('measure', 3_600_000, async (ctx) => {
        const get = () => ctx.call(contracts[service]).get(input)
        if (givers !== undefined) await meet(givers, get)
        const isPaced = perSec !== undefined
        process.send(
          await (isPaced ? measurePaced(get, perSec, durationMs) : measure(get, inFlight, durationMs)),
        )
      })
    })
    return {}
  },
})

/** The app. */
export const app = defineApp({
  name: 'growth',
  folder: '',
  services: {
    registry: async () => (await import('@flotilla/control/directory')).registryService,
    caller: async () => caller,
    ...Object.fromEntries(HOPS.map((name) => [name, async () => serviceOf(name)])),
  },
})
