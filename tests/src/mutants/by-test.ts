/**
 * Trying a mistake with a test beside the code: for what a running shop shows too seldom, because several things prevent it.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { systemClock } from '@flotilla/core/clock'
import { findFreePort } from '@flotilla/core/free-port'
import { systemRandom } from '@flotilla/core/random'
import { root } from '../flotilla-process.ts'
import type { Copy } from './copy.ts'

interface Server {
  readonly adminUrl: string
  close(): Promise<void>
}

interface Opener {
  openPostgres(options: object): Promise<Server>
}

const TEST_MS_MAX = 120_000

/** Starts a database server for tests; the URL they need. */
export async function openServer(owner: { after(cleanUp: () => Promise<void>): void }): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-mutant-tests-'))
  const program = pathToFileURL(join(root, 'packages/control/dist/postgres/postgres.js')).href
  const { openPostgres } = (await import(program)) as Opener
  const ports = { clock: systemClock, random: systemRandom }
  const options = { dataDir: join(folder, 'postgres'), port: await findFreePort(), ports }
  const server = await openPostgres(options)
  owner.after(async () => {
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return server.adminUrl
}

/** Runs a test file of the copy; the names of the tests that fail. @param built such as `packages/core/dist/events/relay.test.js`. */
export async function failingTests(
  copy: Copy,
  built: string,
  databaseUrl: string,
): Promise<readonly string[]> {
  const program = await copy.buildTest(built)
  const args = ['--test', '--test-reporter=tap', `--test-timeout=${TEST_MS_MAX}`, program]
  const environment = { ...process.env, FLOTILLA_TEST_DATABASE_URL: databaseUrl }
  const child = spawn(process.execPath, args, {
    cwd: copy.root,
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const exitCode = await new Promise((resolve) => child.once('close', resolve))
  // The innermost ones first: what is around them fails for their sake.
  const failed = [...output.matchAll(/^( *)not ok \d+ - (.*)$/gm)]
  const deepest = Math.max(...failed.map(([, space = '']) => space.length))
  const names = failed.filter(([, space = '']) => space.length === deepest).map(([, , name = '']) => name)
  if (exitCode !== 0 && names.length === 0) throw new Error(`${built} does not run: ${output.slice(-2_000)}`)
  return names
}
