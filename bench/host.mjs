/**
 * A host of an app, in a process of its own; which app, and what of it to run, is told by a message; further ones
 * open further hosts beside it. Tells what CPU time has gone since it was asked before.
 *
 * @module
 */
import { openHost } from '@flotilla/core/host'
import { readHostSettings } from '@flotilla/core/host-settings'
import { ports } from './hosts.mjs'

let before = process.cpuUsage()

process.on('message', async ({ module, environment, cpu }) => {
  if (module !== undefined) {
    const { app } = await import(module)
    await openHost({ app, settings: readHostSettings(environment), environment, ports })
    process.send({ isReady: true })
  } else if (cpu) {
    const { user, system } = process.cpuUsage(before)
    before = process.cpuUsage()
    process.send({ cpuUs: user + system })
  }
})
process.on('disconnect', () => process.exit(0))
