import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { findFreePort } from '../testing/free-port.ts'
import { testAbsentKeyValue, testKeyValue } from '../testing/key-value-conformance.ts'
import { until } from '../testing/until.ts'
import { openRedis } from './redis-key-value.ts'

const isInstalled = spawnSync('redis-server', ['--version']).status === 0

/** A server of the test's own, which keeps nothing. */
async function startRedis(folder: string, port: number): Promise<ChildProcess> {
  const server = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let output = ''
  server.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  await until('Redis takes connections', () => output.includes('Ready to accept connections'))
  return server
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = once(server, 'exit')
  server.kill('SIGKILL')
  await ended
}

describe('RedisKeyValue', { skip: isInstalled ? false : 'no redis-server' }, () => {
  let folder = ''
  let port = 0
  let server: ChildProcess
  let tests = 0

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'flotilla-redis-'))
    port = await findFreePort()
    server = await startRedis(folder, port)
  })

  after(async () => {
    await stop(server)
    rmSync(folder, { recursive: true })
  })

  async function open(t: { after(cleanUp: () => Promise<void>): void }) {
    const prefix = `test ${++tests}:`
    return {
      open() {
        const redis = openRedis(`redis://127.0.0.1:${port}`)
        t.after(() => redis.close())
        return redis.keyValue(prefix)
      },
      takeAway: () => stop(server),
    }
  }

  testKeyValue('Redis', open)
  // The last: there is one server.
  testAbsentKeyValue('Redis', open)
})
