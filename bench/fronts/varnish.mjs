/**
 * Varnish, as it comes but for these: answers in 64 MiB of memory, for an hour; its log, which is always on, in memory rather than
 * a file, as its manual advises. Nobody reads the log; nothing is checked or limited.
 *
 * @module
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ended, freePort, MEASURED_CORE, startProgram, until } from '../children.mjs'
import { childrenOf } from '../proc.mjs'
import { openBack } from './nginx.mjs'

/** A file system that is memory. */
const MEMORY = '/dev/shm'

/** Opens it, before what stands behind. */
export async function openVarnish(folder) {
  const back = await openBack(folder)
  const port = await freePort()
  const working = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : folder, 'flotilla-varnish-'))
  const varnish = startProgram(MEASURED_CORE, 'varnishd', [
    ...['-F', '-j', 'none', '-n', join(working, 'varnish'), '-s', 'malloc,64m', '-t', '3600'],
    ...['-a', `127.0.0.1:${port}`, '-b', `127.0.0.1:${back.port}`],
  ])
  await until('varnish has a worker', () => childrenOf(varnish.pid).length > 0)
  return {
    url: `http://127.0.0.1:${port}/api/v1/products/AUD-0007`,
    headers: {},
    pids: () => childrenOf(varnish.pid),
    async close() {
      await ended(varnish)
      await back.close()
      rmSync(working, { recursive: true, force: true })
    },
  }
}
