/**
 * The app behind which the gateway is measured: one service that answers with about 300 bytes to who is logged in, and one whose answers
 * the gateway keeps. No event changes what is kept: the event log is not followed.
 *
 * @module
 */
import { anyone, user } from '@flotilla/core/access'
import { defineApp } from '@flotilla/core/app'
import { defineContract } from '@flotilla/core/contract'
import { query } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { defineGateway } from '@flotilla/gateway'
import { output } from './payload.mjs'

const { description: _, ...product } = output

/** What the service answers, as a value. */
export { product }

/** What the service answers, also for those who do not ask it. */
export const body = JSON.stringify(product)

const Text = Type.String({ maxLength: 200 })

const input = Type.Object({ id: Type.String({ maxLength: 50 }) })
const answer = Type.Object({
  id: Text,
  sku: Text,
  name: Text,
  price: Type.Object({ amount: Type.Integer(), currency: Type.String({ pattern: '^[A-Z]{3}$' }) }),
  stock: Type.Object({ available: Type.Integer({ minimum: 0 }) }),
  category: Text,
  colours: Type.Array(Text),
  rating: Type.Object({ average: Type.Number(), count: Type.Integer() }),
  version: Type.Integer({ minimum: 1 }),
})

const bench = defineContract({
  name: 'bench',
  version: 1,
  summary: 'What is measured.',
  operations: {
    get: query({
      summary: 'Gives a product.',
      access: user,
      http: 'GET /products/{id}',
      input,
      output: answer,
    }),
    kept: query({
      summary: 'Gives a product, from the cache of the gateway.',
      access: anyone,
      http: 'GET /kept/{id}',
      cache: { maxAgeS: 3_600, scope: 'everyone', tags: ['product:{id}'] },
      input,
      output: answer,
    }),
  },
})

const service = defineService({
  contract: bench,
  open: () => ({ get: async () => product, kept: async () => product }),
})

const gateway = defineGateway({
  contract: defineContract({ name: 'gateway', version: 1, summary: 'The edge.', operations: {} }),
  contracts: [bench],
  handlers: {},
  title: 'Bench',
  description: 'For measuring.',
  issuer: 'https://bench.test',
  audience: 'bench',
  fetchKeys: async () => ({ keys: [JSON.parse(process.env.BENCH_TOKEN_KEY)] }),
  findApiKey: async () => undefined,
  strictRoutes: [],
})

/** The registry, the service and the gateway. */
export const app = defineApp({
  name: 'bench',
  folder: '',
  services: {
    registry: async () => (await import('@flotilla/control/directory')).registryService,
    bench: async () => service,
    gateway: async () => gateway,
  },
})
