import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { systemClock } from '@flotilla/core/clock'
import { isFlotillaError } from '@flotilla/core/error'
import { findFreePort } from '@flotilla/core/free-port'
import { systemRandom } from '@flotilla/core/random'
import { removeFolder } from '@flotilla/core/remove-folder'
import { until } from '@flotilla/core/until'
import pg from 'pg'
import { openPostgres, type Postgres, type PostgresOptions } from './postgres.ts'
import { isAlive, pidFilePath } from './postmaster.ts'

const ports = { clock: systemClock, random: systemRandom }

let cluster: Promise<string> | undefined
after(async () => {
  if (cluster !== undefined) await rm(dirname(await cluster), { recursive: true })
})

/** A data folder that was used once, to be copied: that takes a tenth of the time of `initdb`. */
async function makeCluster(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-postgres-'))
  const dataDir = join(folder, 'postgres')
  await (await openPostgres({ dataDir, port: await findFreePort(), ports })).close()
  return dataDir
}

/** A port and a folder of the test's own, with data or, for tests of `initdb`, empty; whatever runs there at its end is killed. */
async function setUp(
  t: TestContext,
  { isEmpty = false } = {},
): Promise<PostgresOptions & { readonly port: number }> {
  const parent = await mkdtemp(join(tmpdir(), 'flotilla-postgres-'))
  const options = { dataDir: join(parent, 'postgres'), port: await findFreePort(), ports }
  t.after(async () => {
    for (const pid of await processesOf(parent)) process.kill(pid, 'SIGKILL')
    await removeFolder(parent)
  })
  if (!isEmpty) {
    cluster ??= makeCluster()
    await promisify(execFile)('cp', ['-Rp', await cluster, options.dataDir])
  }
  return options
}

/** Everything whose command line names `path`: server, watchdog, whatever. A zombie has no command line. */
async function processesOf(path: string): Promise<readonly number[]> {
  const isListed = ([, commandLine]: readonly [number, string]): boolean => commandLine.includes(path)
  return (await processes()).filter(isListed).map(([pid]) => pid)
}

async function processes(): Promise<readonly (readonly [number, string])[]> {
  if (process.platform !== 'linux') {
    const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,command='])
    return stdout.split('\n').map((line) => [Number.parseInt(line, 10), line])
  }
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const commandLine = (name: string) => readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
  return Promise.all(names.map(async (name) => [Number(name), await commandLine(name)] as const))
}

async function ask(server: Pick<Postgres, 'adminUrl'>, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: server.adminUrl })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

/** A process that opens the server and does nothing else. */
async function spawnSupervisor(options: PostgresOptions & { readonly port: number }) {
  const { dataDir, port } = options
  const url = (name: string): string => JSON.stringify(import.meta.resolve(name))
  const program = `
    import { openPostgres } from ${url('@flotilla/control/postgres')}
    import { systemClock } from ${url('@flotilla/core/clock')}
    import { systemRandom } from ${url('@flotilla/core/random')}
    const ports = { clock: systemClock, random: systemRandom }
    process.on('SIGINT', () => {})
    const server = await openPostgres({ dataDir: ${JSON.stringify(dataDir)}, port: ${port}, ports })
    process.stdout.write(JSON.stringify({ pid: server.pid, adminUrl: server.adminUrl }))
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return child
}

async function opened(child: ChildProcess): Promise<{ readonly pid: number; readonly adminUrl: string }> {
  const chunk = await new Promise<Buffer>((resolve) => child.stdout?.once('data', resolve))
  return JSON.parse(chunk.toString('utf8'))
}

const refusal = (message: RegExp) => (error: unknown) =>
  isFlotillaError(error) && error.code === 'failed_precondition' && message.test(error.message)

describe('openPostgres', () => {
  it('starts a server with a password, keeps the data, and leaves nothing running', async (t) => {
    const options = await setUp(t, { isEmpty: true })
    const first = await openPostgres(options)
    assert.equal(first.isAdopted, false)
    await ask(first, 'create table t as select 1 as id')
    const [settings] = await ask(
      first,
      `select current_setting('synchronous_commit') as commit, current_setting('listen_addresses') as listen,
              current_setting('data_checksums') as checksums, current_setting('TimeZone') as zone,
              (select datlocprovider::text || datlocale from pg_database where datname = 'template0') as locale`,
    )
    assert.deepEqual(settings, {
      commit: 'on',
      listen: '127.0.0.1',
      checksums: 'on',
      zone: 'UTC',
      locale: 'bC.UTF-8',
    })
    const withoutPassword = { adminUrl: first.adminUrl.replace(/:[^:@/]+@/, ':wrong@') }
    await assert.rejects(ask(withoutPassword, 'select 1'), /password authentication failed/)
    const { mode } = await stat(join(options.dataDir, 'password'))
    assert.equal(mode & 0o777, 0o600)
    await first.close()
    await first.exited
    assert.deepEqual(await processesOf(options.dataDir), [])

    const second = await openPostgres(options)
    assert.deepEqual(await ask(second, 'select id from t'), [{ id: 1 }])
    assert.equal(second.adminUrl, first.adminUrl)
    await second.close()
    await second.close()
    assert.deepEqual(await processesOf(options.dataDir), [])
  })

  it('stops with sessions open and statements running', async (t) => {
    const server = await openPostgres(await setUp(t))
    const running = assert.rejects(ask(server, 'select pg_sleep(60)'))
    await until('it runs', async () => {
      const rows = await ask(server, `select 1 from pg_stat_activity where query = 'select pg_sleep(60)'`)
      return rows.length === 1
    })
    await server.close()
    await running
  })

  it('says who has the port', async (t) => {
    const options = await setUp(t)
    const other = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => other.listen(options.port, '127.0.0.1', resolve))
    t.after(() => other.close())
    const message = new RegExp(
      `Port ${options.port} is taken \\(by another program\\); set FLOTILLA_POSTGRES_PORT`,
    )
    await assert.rejects(openPostgres(options), refusal(message))
    const server = await openPostgres({ ...options, port: await findFreePort() })
    t.after(() => server.close())
    const elsewhere = { ...(await setUp(t)), port: server.port }
    await assert.rejects(openPostgres(elsewhere), refusal(/is taken \(by another PostgreSQL\)/))
  })

  it('refuses a folder that another one uses', async (t) => {
    const options = await setUp(t)
    const server = await openPostgres(options)
    await assert.rejects(openPostgres(options), refusal(/Another Flotilla is running on the data folder/))
    assert.equal((await ask(server, 'select 1')).length, 1)
    await server.close()
  })

  it('refuses data of another version, foreign folders, lost passwords and places it cannot write to', async (t) => {
    const options = await setUp(t)
    await (await openPostgres(options)).close()
    const { dataDir } = options
    await writeFile(join(dataDir, 'data/PG_VERSION'), '17\n')
    await assert.rejects(openPostgres(options), refusal(/made by PostgreSQL 17, this is 18/))
    await rm(join(dataDir, 'data/PG_VERSION'))
    await assert.rejects(openPostgres(options), refusal(/is not the data folder of a PostgreSQL/))
    await rm(join(dataDir, 'password'))
    await assert.rejects(openPostgres(options), refusal(/password is missing/))
    await rm(join(dataDir, 'data'), { recursive: true })
    await rm(join(dataDir, 'postgres.log'))
    await mkdir(join(dataDir, 'postgres.log'))
    await assert.rejects(openPostgres(options), refusal(/cannot be used: EISDIR.*FLOTILLA_DATA/))
    const below = join(dataDir, 'password/postgres')
    await assert.rejects(
      openPostgres({ ...options, dataDir: below }),
      refusal(/cannot be used: .*FLOTILLA_DATA/),
    )
  })

  it('passes on what the server says when it does not start', async (t) => {
    const options = await setUp(t)
    await (await openPostgres(options)).close()
    await appendFile(join(options.dataDir, 'data/postgresql.conf'), 'nonsense = 1\n')
    await assert.rejects(
      openPostgres(options),
      refusal(/did not start on port \d+: .*contains errors \(see .*postgres.log\)/),
    )
    assert.deepEqual(await processesOf(options.dataDir), [])
  })

  it('moves a server that runs on another port', async (t) => {
    const options = await setUp(t)
    const supervisor = await spawnSupervisor(options)
    const before = await opened(supervisor)
    await killBoth(supervisor, options.dataDir, before.pid)
    const port = await findFreePort()
    const server = await openPostgres({ ...options, port })
    assert.equal(server.isAdopted, false)
    assert.deepEqual(await ask(server, 'show port'), [{ port: String(port) }])
    await server.close()
    assert.deepEqual(await processesOf(options.dataDir), [])
  })
})

/** The supervisor and its watchdog, so that nobody is left to stop the server. */
async function killBoth(supervisor: ChildProcess, dataDir: string, server: number): Promise<void> {
  const watchdog = Number(await readFile(join(dataDir, 'watchdog.pid'), 'utf8'))
  process.kill(watchdog, 'SIGKILL')
  supervisor.kill('SIGKILL')
  await until('the watchdog is gone', async () => !(await isAlive(watchdog, dataDir)))
  assert.ok(await isAlive(server, dataDir))
}

describe('openPostgres after a crash', () => {
  it('of its supervisor: the watchdog stops the server, and the data is there', async (t) => {
    const options = await setUp(t)
    const supervisor = await spawnSupervisor(options)
    const server = await opened(supervisor)
    await ask(server, 'create table t as select 1 as id')
    // And all that share its process group.
    process.kill(-(supervisor.pid as number), 'SIGKILL')
    await until('nothing is left', async () => (await processesOf(options.dataDir)).length === 0)
    const next = await openPostgres(options)
    assert.equal(next.isAdopted, false)
    assert.deepEqual(await ask(next, 'select id from t'), [{ id: 1 }])
    await next.close()
  })

  it('of its supervisor, opened again at once: waits for the watchdog and starts anew', async (t) => {
    const options = await setUp(t)
    const supervisor = await spawnSupervisor(options)
    const server = await opened(supervisor)
    supervisor.kill('SIGKILL')
    const next = await openPostgres(options)
    assert.notEqual(next.pid, server.pid)
    assert.equal((await ask(next, 'select 1')).length, 1)
    await next.close()
  })

  it('of supervisor and watchdog: takes the server over, and stops it like its own', async (t) => {
    const options = await setUp(t)
    const supervisor = await spawnSupervisor(options)
    const before = await opened(supervisor)
    await killBoth(supervisor, options.dataDir, before.pid)
    const server = await openPostgres(options)
    assert.equal(server.isAdopted, true)
    assert.equal(server.pid, before.pid)
    assert.equal((await ask(server, 'select 1')).length, 1)
    await server.close()
    await server.exited
    assert.deepEqual(await processesOf(options.dataDir), [])
  })

  it('of supervisor and watchdog: says so when the password was changed', async (t) => {
    const options = await setUp(t)
    const supervisor = await spawnSupervisor(options)
    const { pid } = await opened(supervisor)
    await killBoth(supervisor, options.dataDir, pid)
    await writeFile(join(options.dataDir, 'password'), 'another')
    await assert.rejects(openPostgres(options), refusal(/refuses the password in the file beside it/))
  })

  it('of a supervisor that had taken it over: the new watchdog stops it', async (t) => {
    const options = await setUp(t)
    const first = await spawnSupervisor(options)
    const { pid } = await opened(first)
    await killBoth(first, options.dataDir, pid)
    const second = await spawnSupervisor(options)
    assert.equal((await opened(second)).pid, pid)
    second.kill('SIGKILL')
    await until('nothing is left', async () => (await processesOf(options.dataDir)).length === 0)
  })

  it('of the server: tells, keeps what was acknowledged, and starts again beside what is left of it', async (t) => {
    const options = await setUp(t)
    const server = await openPostgres(options)
    await ask(server, 'create table t as select 1 as id')
    // Deep in a query, a process does not notice for seconds that its server is dead.
    const busy = assert.rejects(
      ask(server, 'select count(*) from generate_series(1, 1e9) where random() < 0'),
    )
    await until('it runs', async () => {
      const rows = await ask(
        server,
        `select 1 from pg_stat_activity where query like '%1e9%' and pid <> pg_backend_pid()`,
      )
      return rows.length === 1
    })
    const fromMs = systemClock.monotonicMs()
    process.kill(server.pid, 'SIGKILL')
    await server.exited
    const next = await openPostgres(options)
    assert.ok(systemClock.monotonicMs() - fromMs < 10_000)
    assert.deepEqual(await ask(next, 'select id from t'), [{ id: 1 }])
    await busy
    await server.close()
    assert.equal((await ask(next, 'select 1')).length, 1)
    await next.close()
    assert.deepEqual(await processesOf(options.dataDir), [])
  })

  it('of the machine: is not misled by a process that got the old number', async (t) => {
    const options = await setUp(t)
    const server = await openPostgres(options)
    const pidFile = await readFile(pidFilePath(join(options.dataDir, 'data')), 'utf8')
    await server.close()
    const stranger = spawn('sleep', ['60'])
    t.after(() => stranger.kill())
    const number = String(stranger.pid)
    await writeFile(pidFilePath(join(options.dataDir, 'data')), pidFile.replace(/^\d+/, number))
    await writeFile(join(options.dataDir, 'watchdog.pid'), number)
    const next = await openPostgres(options)
    assert.equal(next.isAdopted, false)
    assert.equal(stranger.exitCode ?? stranger.signalCode, null)
    await next.close()
  })

  it('of initdb half-way: starts over', async (t) => {
    const options = await setUp(t, { isEmpty: true })
    const supervisor = await spawnSupervisor(options)
    await until('initdb has begun', async () => {
      const names = await readdir(options.dataDir).catch(() => [])
      const workshop = names.find((name) => name.startsWith('init-'))
      return workshop !== undefined && (await readdir(join(options.dataDir, workshop))).includes('data')
    })
    supervisor.kill('SIGKILL')
    const names = await readdir(options.dataDir)
    assert.ok(!names.includes('data'))
    const server = await openPostgres(options)
    assert.equal((await ask(server, 'select 1')).length, 1)
    await server.close()
  })
})

describe('the watchdog of openPostgres', () => {
  it('is not reached by Ctrl-C, and neither is the server', async (t) => {
    const options = await setUp(t)
    const supervisor = await spawnSupervisor(options)
    const server = await opened(supervisor)
    // To the whole process group, as a terminal does.
    process.kill(-(supervisor.pid as number), 'SIGINT')
    const watchdog = Number(await readFile(join(options.dataDir, 'watchdog.pid'), 'utf8'))
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(watchdog, signal)
    assert.equal((await ask(server, 'select 1')).length, 1)
    assert.ok(await isAlive(watchdog, options.dataDir))
    supervisor.kill('SIGKILL')
    await until('nothing is left', async () => (await processesOf(options.dataDir)).length === 0)
  })

  it('leaves when the server ends by itself', async (t) => {
    const options = await setUp(t)
    const server = await openPostgres(options)
    process.kill(server.pid, 'SIGINT')
    await server.exited
    await until('nothing is left', async () => (await processesOf(options.dataDir)).length === 0)
    await server.close()
  })
})
