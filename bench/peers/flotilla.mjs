/**
 * Flotilla frames over a Unix socket, with everything that is on by default: validation on both sides, authorisation,
 * deadline, retry budget, choice of instance, breaker, concurrency bound, spans and metrics.
 *
 * @module
 */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { anyService } from '@flotilla/core/access'
import { anonymous } from '@flotilla/core/caller'
import { Cancellation } from '@flotilla/core/cancellation'
import { Client } from '@flotilla/core/client'
import { systemClock as clock } from '@flotilla/core/clock'
import { defineContract } from '@flotilla/core/contract'
import { createKeyPair, Signer } from '@flotilla/core/credentials'
import { fixedDirectory } from '@flotilla/core/directory'
import { openFramesChannel } from '@flotilla/core/frames-channel'
import { openHost } from '@flotilla/core/host'
import { readHostSettings } from '@flotilla/core/host-settings'
import { createIds } from '@flotilla/core/ids'
import { Metrics } from '@flotilla/core/metrics'
import { query } from '@flotilla/core/operation'
import { systemRandom as random } from '@flotilla/core/random'
import { Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { SpanRing } from '@flotilla/core/spans'
import { TimerWheel } from '@flotilla/core/timer-wheel'
import { TraceContext } from '@flotilla/core/trace-context'
import { input, output } from '../payload.mjs'

const Text = Type.String({ maxLength: 200 })
const Price = Type.Object({ amount: Type.Integer(), currency: Type.String({ pattern: '^[A-Z]{3}$' }) })

const shop = defineContract({
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

const service = defineService({ contract: shop, open: () => ({ quote: async () => output }) })
const ports = { clock, random, newId: createIds(clock, random) }

function settings(keys, services, address) {
  const signer = new Signer(keys.process.privateKey)
  return readHostSettings({
    FLOTILLA_SERVICES: services.join(','),
    FLOTILLA_INSTANCE: 'bench',
    FLOTILLA_FRAMES: address,
    FLOTILLA_PROCESS_KEY: keys.process.publicKey,
    FLOTILLA_USER_KEY: keys.user.publicKey,
    FLOTILLA_CREDENTIAL: signer.process({ instance: 'bench', services, expiresAt: clock.now() + 3_600_000 }),
    FLOTILLA_LOG_LEVEL: 'silent',
  })
}

function context() {
  return {
    caller: anonymous,
    deadlineMs: Number.POSITIVE_INFINITY,
    trace: TraceContext.start(random, false),
    criticality: 'critical',
    cancellation: new Cancellation(),
  }
}

/** Opens the answering side; what it returns is given to `connect`. */
export async function serve() {
  const keys = { process: createKeyPair(), user: createKeyPair() }
  const path = join(tmpdir(), `flotilla-bench-${process.pid}.sock`)
  rmSync(path, { force: true })
  const app = { name: 'bench', folder: '', services: { bench: async () => service } }
  await openHost({ app, settings: settings(keys, ['bench'], `unix:${path}`), environment: {}, ports })
  return { path, keys }
}

/** Opens the calling side. */
export async function connect({ path, keys }) {
  const wheel = new TimerWheel(clock)
  const { credential } = settings(keys, ['caller'], 'unix:none')
  const client = new Client({
    ports,
    metrics: new Metrics(),
    spans: new SpanRing(),
    directory: fixedDirectory([
      { instance: 'bench', service: 'bench', version: '', frames: `unix:${path}`, http: '' },
    ]),
    localChannel: () => undefined,
    openChannel: () => {
      const encodings =
        process.env.BENCH_ENCODING === undefined ? undefined : { encodings: [process.env.BENCH_ENCODING] }
      return openFramesChannel({
        address: { kind: 'unix', path },
        clock,
        wheel,
        callers: ['caller'],
        credential,
        ...encodings,
      })
    },
  })
  const own = context()
  return () => client.calls(shop, own, 'caller').quote(input)
}

/** The same service in this process; `measure` gets the function that calls it. */
export async function local(measure) {
  const keys = { process: createKeyPair(), user: createKeyPair() }
  const path = join(tmpdir(), `flotilla-bench-local-${process.pid}.sock`)
  rmSync(path, { force: true })
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
    settings: settings(keys, ['bench', 'caller'], `unix:${path}`),
    environment: {},
    ports,
  })
  await host.close()
}
