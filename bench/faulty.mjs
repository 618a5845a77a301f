/**
 * Services that misbehave when told to, and a host of one of them in a process of its own.
 *
 * `hop1` calls `hop2`, which calls `hop3`; `target` calls nobody. All answer the query `get`.
 *
 * @module
 */
import { anyService } from '@flotilla/core/access'
import { defineApp } from '@flotilla/core/app'
import { systemClock as clock } from '@flotilla/core/clock'
import { defineContract } from '@flotilla/core/contract'
import { FlotillaError } from '@flotilla/core/error'
import { openHost } from '@flotilla/core/host'
import { readHostSettings } from '@flotilla/core/host-settings'
import { query } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { ports } from './hosts.mjs'

const NAMES = ['hop1', 'hop2', 'hop3', 'target']

const contractOf = (name) =>
  defineContract({
    name,
    version: 1,
    summary: 'Misbehaves when told to.',
    operations: {
      get: query({ summary: 'Answers.', access: anyService, output: Type.Object({}), timeoutMs: 1_000 }),
    },
  })

/** Contracts by name. */
export const contracts = Object.fromEntries(NAMES.map((name) => [name, contractOf(name)]))

let behaviour = { latencyMs: 0, failedShare: 0, isHanging: false, code: 'internal' }
let received = 0

async function misbehave() {
  received++
  const { latencyMs, failedShare, isHanging, code } = behaviour
  if (isHanging) await new Promise(() => {})
  if (latencyMs > 0) await clock.sleep(latencyMs * (0.5 + Math.random()))
  if (Math.random() < failedShare) throw new FlotillaError(code, 'As told.')
  return {}
}

const serviceOf = (name, next) =>
  defineService({
    contract: contracts[name],
    calls: next === undefined ? [] : [contracts[next]],
    open: () => ({
      async get(_, ctx) {
        if (next === undefined) return misbehave()
        received++
        return ctx.call(contracts[next]).get({})
      },
    }),
  })

/** The app of the experiments. */
export const app = defineApp({
  name: 'faulty',
  folder: '',
  services: {
    registry: async () => (await import('@flotilla/control/directory')).registryService,
    hop1: async () => serviceOf('hop1', 'hop2'),
    hop2: async () => serviceOf('hop2', 'hop3'),
    hop3: async () => serviceOf('hop3'),
    target: async () => serviceOf('target'),
  },
})

if (process.send !== undefined) {
  process.on('message', async (message) => {
    if (message.environment !== undefined) {
      await openHost({ app, settings: readHostSettings(message.environment), environment: {}, ports })
    } else behaviour = { ...behaviour, ...message.behaviour }
    process.send({ received })
  })
  process.on('disconnect', () => process.exit(0))
}
