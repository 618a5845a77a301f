/**
 * A host of an app, in a process of its own; which app, and what of it to run, is told by a message; further ones
 * open further hosts beside it. Tells what CPU time has gone since it was asked before.
 *
 * @module
 */
import { openSync } from 'node:fs'
import { openHost } from '@flotilla/core/host'
import { readHostSettings } from '@flotilla/core/host-settings'
import { createLogger } from '@flotilla/core/log'
import { ports } from './hosts.mjs'

let before = process.cpuUsage()

process.on('message', async ({ module, environment, cpu }) => {
  if (module !== undefined) {
    const { app } = await import(module)
    const settings = readHostSettings(environment)
    const { http } = await openHost({ app, settings, environment, ports, log: logTo(environment, settings) })
    process.send({ isReady: true, http })
  } else if (cpu) {
    const { user, system } = process.cpuUsage(before)
    before = process.cpuUsage()
    process.send({ cpuUs: user + system })
  }
})
/** A logger that writes into the file BENCH_LOG; absent: lines go to where ours do. */
function logTo({ BENCH_LOG: path }, { logLevel: level, instance }) {
  if (path === undefined) return undefined
  return createLogger({ level, clock: ports.clock, fields: { instance }, destination: openSync(path, 'a') })
}

process.on('disconnect', () => process.exit(0))
