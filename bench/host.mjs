/**
 * A host of the app in `services.mjs`, in a process of its own; what to run is told by the first message.
 *
 * @module
 */
import { systemClock as clock } from '@flotilla/core/clock'
import { openHost } from '@flotilla/core/host'
import { readHostSettings } from '@flotilla/core/host-settings'
import { createIds } from '@flotilla/core/ids'
import { systemRandom as random } from '@flotilla/core/random'
import { app } from './services.mjs'

const ports = { clock, random, newId: createIds(clock, random) }

process.once('message', async ({ environment }) => {
  await openHost({ app, settings: readHostSettings(environment), environment, ports })
  let before = process.cpuUsage()
  process.on('message', ({ cpu }) => {
    if (!cpu) return
    const { user, system } = process.cpuUsage(before)
    before = process.cpuUsage()
    process.send({ cpuUs: user + system })
  })
  process.send({ isReady: true })
})
process.on('disconnect', () => process.exit(0))
