/**
 * Flotilla frames over a Unix socket, with everything that is on by default: validation on both sides, authorisation,
 * deadline, retry budget, choice of instance, breaker, concurrency bound, spans and metrics.
 *
 * @module
 */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { anyService } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { openHost } from '@flotilla/core/host'
import { readHostSettings } from '@flotilla/core/host-settings'
import { query } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import {
  callContext,
  createKeys,
  credentialOf,
  hostEnvironment,
  openClient,
  ports,
  socketOf,
} from '../hosts.mjs'
import { input, output } from '../payload.mjs'

const Text = Type.String({ maxLength: 200 })
const Price = Type.Object({ amount: Type.Integer(), currency: Type.String({ pattern: '^[A-Z]{3}$' }) })

/** What is called. */
export const shop = defineContract({
  name: 'bench',
  version: 1,
  summary: 'What is measured.',
  operations: {
    quote: query({
      summary: 'Answers with a product.',
      access: anyService,
      input: Type.Object({
        orderId: Text,
        lines: Type.Array(Type.Object({ sku: Text, quantity: Type.Integer({ minimum: 1, maximum: 99 }) }), {
          maxItems: 50,
        }),
        currency: Type.String({ pattern: '^[A-Z]{3}$' }),
        total: Type.Integer({ minimum: 0 }),
        isExpress: Type.Boolean(),
        note: Text,
      }),
      output: Type.Object({
        id: Text,
        sku: Text,
        name: Text,
        description: Text,
        price: Price,
        stock: Type.Object({ available: Type.Integer({ minimum: 0 }) }),
        category: Text,
        colours: Type.Array(Text),
        rating: Type.Object({ average: Type.Number(), count: Type.Integer() }),
        version: Type.Integer({ minimum: 1 }),
      }),
    }),
  },
})

/** Who answers. */
export const service = defineService({ contract: shop, open: () => ({ quote: async () => output }) })

function settingsOf(keys, services, instance) {
  const path = socketOf(tmpdir(), instance)
  rmSync(path, { force: true })
  const environment = hostEnvironment({ folder: tmpdir(), keys, instance, services })
  return readHostSettings({ ...environment, FLOTILLA_LOG_LEVEL: 'silent' })
}

/** Opens the answering side; what it returns is given to `connect`. */
export async function serve() {
  const keys = createKeys()
  const instance = `flotilla-bench-${process.pid}`
  const app = { name: 'bench', folder: '', services: { bench: async () => service } }
  await openHost({ app, settings: settingsOf(keys, ['bench'], instance), environment: {}, ports })
  return { path: socketOf(tmpdir(), instance), credential: credentialOf(keys, 'caller', ['caller']) }
}

/** Opens the calling side. */
export async function connect({ path, credential }) {
  const encoding = process.env.BENCH_ENCODING
  const { client } = openClient({
    credential,
    instances: [{ instance: 'bench', service: 'bench', path }],
    channelOptions: encoding === undefined ? {} : { encodings: [encoding] },
  })
  const context = callContext()
  return () => client.calls(shop, context, 'caller').quote(input)
}

/** The same service in this process; `measure` gets the function that calls it. */
export async function local(measure) {
  const keys = createKeys()
  const caller = defineService({
    contract: defineContract({ name: 'caller', version: 1, summary: 'Calls.', operations: {} }),
    calls: [shop],
    async open(runtime) {
      await runtime.run('measure', 3_600_000, (ctx) => measure(() => ctx.call(shop).quote(input)))
      return {}
    },
  })
  const app = {
    name: 'bench',
    folder: '',
    services: { bench: async () => service, caller: async () => caller },
  }
  const host = await openHost({
    app,
    settings: settingsOf(keys, ['bench', 'caller'], `flotilla-bench-local-${process.pid}`),
    environment: {},
    ports,
  })
  await host.close()
}
