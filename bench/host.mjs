/**
 * A host of an app, in a process of its own; which app, and what of it to run, is told by the first message.
 *
 * @module
 */
import { openHost } from '@flotilla/core/host'
import { readHostSettings } from '@flotilla/core/host-settings'
import { ports } from './hosts.mjs'

process.once('message', async ({ module, environment }) => {
  const { app } = await import(module)
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
