/**
 * The app whose calls between two processes are observed: one service that answers, and one that calls when it is told to, each call in
 * a trace of its own, as requests are.
 *
 * @module
 */
import { defineApp } from '@flotilla/core/app'
import { defineContract } from '@flotilla/core/contract'
import { defineService } from '@flotilla/core/service'
import { TraceContext } from '@flotilla/core/trace-context'
import { measure } from './measure.mjs'
import { input } from './payload.mjs'
import { service, shop } from './peers/flotilla.mjs'

const CALL_MS = 10_000

const caller = defineService({
  contract: defineContract({ name: 'caller', version: 1, summary: 'Calls.', operations: {} }),
  calls: [shop],
  open(runtime) {
    const work = (ctx) => ctx.call(shop).quote(input)
    const call = () =>
      runtime.run('measure', CALL_MS, work, {
        trace: TraceContext.start(runtime.random, runtime.isSampled()),
        criticality: 'critical',
      })
    process.on('message', async ({ inFlight, durationMs }) => {
      if (inFlight !== undefined) process.send(await measure(call, inFlight, durationMs))
    })
    return {}
  },
})

/** The registry and the two. */
export const app = defineApp({
  name: 'bench',
  folder: '',
  services: {
    registry: async () => (await import('@flotilla/control/directory')).registryService,
    bench: async () => service,
    caller: async () => caller,
  },
})
