import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { isFlotillaError } from '@flotilla/core/error'
import { findFreePort } from '@flotilla/core/free-port'
import { findLauncher } from './launcher.ts'
import { openLogFile } from './log-file.ts'
import { stopPostmaster } from './postmaster.ts'
import { type ServerOptions, startServer } from './server.ts'

/** Starts a shell script in place of the server; its first argument but one is the data folder. */
async function setUp(t: TestContext, script: string): Promise<ServerOptions> {
  const path = await mkdtemp(join(tmpdir(), 'flotilla-server-'))
  const postgres = join(path, 'postgres')
  await writeFile(postgres, `#!/bin/sh\n[ "$1" = --version ] && exit 0\ndata=$2\n${script}\n`)
  await chmod(postgres, 0o755)
  const binaries = { initdb: '', postgres, env: {} }
  const folder = { path, data: join(path, 'data'), logFile: join(path, 'log'), password: '' }
  await mkdir(folder.data)
  const launcher = await findLauncher(binaries, path, ['ourselves'])
  const logFile = await openLogFile(folder.logFile, systemClock)
  t.after(async () => {
    await logFile.close()
    await rm(path, { recursive: true })
  })
  return {
    clock: systemClock,
    folder,
    binaries,
    launcher,
    logFile,
    port: await findFreePort(),
    connectionsMax: 10,
  }
}

const refusal = (message: RegExp) => (error: unknown) =>
  isFlotillaError(error) && error.code === 'failed_precondition' && message.test(error.message)

describe('startServer', () => {
  it('tries again while the memory of a killed server is still held', async (t) => {
    const options = await setUp(
      t,
      `echo try >> "$data/tries"
       if [ $(wc -l < "$data/tries") -lt 3 ]; then echo 'FATAL:  pre-existing shared memory block is still in use'; exit 1; fi
       printf '%s\\n\\n\\n\\n\\n\\n\\nready   \\n' $$ > "$data/postmaster.pid"
       exec tail -f "$data/tries"`,
    )
    const server = await startServer(options)
    assert.equal(await readFile(join(options.folder.data, 'tries'), 'utf8'), 'try\ntry\ntry\n')
    await stopPostmaster(systemClock, server.pid, options.folder.data)
    await server.exited
    await server.watchdog.dismiss()
  })

  it('says in one line why the server did not start', async (t) => {
    const failing = async (line: string) => startServer(await setUp(t, `echo '${line}'; echo more; exit 1`))
    await assert.rejects(
      failing('LOG:  could not bind IPv4 address "127.0.0.1": Address already in use'),
      refusal(/^Port \d+ is taken \(by another program\); set FLOTILLA_POSTGRES_PORT/),
    )
    await assert.rejects(
      failing('LOG:  could not bind IPv4 address "127.0.0.1": Permission denied'),
      refusal(/^PostgreSQL did not start on port \d+: Permission denied \(see .*log\)\.$/),
    )
    await assert.rejects(
      failing('FATAL:  could not write: No space left on device'),
      refusal(/^There is no space left/),
    )
    await assert.rejects(
      failing('2026 FATAL:  it broke'),
      refusal(/^PostgreSQL did not start on port \d+: it broke/),
    )
    await assert.rejects(failing('nothing'), refusal(/it does not say why/))
  })
})
