/** `flotilla up` as a person meets it: how it starts, what it says when it cannot, and how it ends. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { removeFolder } from '@flotilla/core/remove-folder'
import { until } from '@flotilla/core/until'
import { app } from '@flotilla/shop/app'
import { makeBed, processesOf, type Running, run, start, startUp } from './flotilla-process.ts'
import { openOnce } from './open-once.ts'

/** Services that stand for the outside world, each in a process of its own whatever the placement says. */
const outside = (app.outside ?? []).map(({ service }) => service)

/** Ends what `startUp` started, before its bed is used again. */
async function stop({ child }: Running): Promise<void> {
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  child.kill('SIGTERM')
  assert.equal(await ended, 0)
}

// Each test finds the data that the one before has left.
describe('flotilla up', () => {
  const bedOf = openOnce(makeBed)

  it('runs until Ctrl-C, then leaves nothing but the data, with exit status 0, within 10 seconds', async () => {
    const bed = bedOf()
    // None of it is for our server or our processes.
    const libpq = {
      PGSSLMODE: 'require',
      PGOPTIONS: '-c default_transaction_read_only=on',
      PGPASSWORD: 'mine',
    }
    const up = await startUp(bed, [], libpq)
    if (process.platform === 'linux') {
      const told = processesOf(bed).map((pid) => readFileSync(`/proc/${pid}/environ`, 'latin1'))
      for (const environment of told) assert.doesNotMatch(environment, /PGSSLMODE|PGOPTIONS|PGPASSWORD/)
    }
    const status = await run(bed, 'status', '--json')
    assert.equal(status.exitCode, 0, status.errors)
    assert.equal(JSON.parse(status.output).isReady, true)
    const again = await run(bed, 'up')
    assert.equal(again.exitCode, 1)
    assert.match(again.errors, /It runs already \(pid \d+\)/)

    const startedMs = Date.now()
    const ended = new Promise<number | null>((resolve) => up.child.once('exit', resolve))
    up.child.kill('SIGINT')
    assert.equal(await ended, 0)
    assert.ok(Date.now() - startedMs < 10_000)
    assert.deepEqual(processesOf(bed), [])
    assert.ok(existsSync(join(bed.folder, 'postgres/data/PG_VERSION')))
    const after = await run(bed, 'status')
    assert.equal(after.exitCode, 1)
    assert.match(after.errors, /Nothing runs with the data folder/)
    const logs = await run(bed, 'logs', '--where', 'why=SIGTERM')
    assert.match(logs.output, /catalog-1 info leaving/, 'what happened can be read when nothing runs')
    const nowhere = join(bed.folder, 'nowhere')
    const commands = ['status', 'ps', 'logs', 'down', 'doctor']
    await Promise.all(commands.map((command) => run(bed, command, '--data', nowhere)))
    assert.equal(existsSync(nowhere), false)
  })

  it('says in one line that a port is taken, and starts nothing', async (t) => {
    const bed = await makeBed(t)
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(bed.gatewayPort, '127.0.0.1', resolve))
    t.after(async () => {
      other.close()
    })
    const { exitCode, errors } = await run(bed, 'up')
    assert.equal(exitCode, 1)
    assert.match(
      errors,
      new RegExp(
        `^error: Port ${bed.gatewayPort}, which the gateway needs, is taken.*--port N or FLOTILLA_PORT.\n$`,
      ),
    )
    assert.deepEqual(processesOf(bed), [])
  })

  it('says in one line that the data folder cannot be used', async (t) => {
    const bed = await makeBed(t)
    // Not a permission: the tests may run as root, whom none stops.
    writeFileSync(join(bed.folder, 'a file'), '')
    const { exitCode, errors } = await run(bed, 'up', '--data', join(bed.folder, 'a file', 'below'))
    assert.equal(exitCode, 1)
    assert.match(
      errors,
      /^error: The data folder .* cannot be written \(ENOTDIR\); choose another with --data or FLOTILLA_DATA.\n$/,
    )
    mkdirSync(join(bed.folder, 'closed'))
    chmodSync(join(bed.folder, 'closed'), 0o500)
  })

  it('takes a placement and policies of one’s own, and names what is wrong in them', async () => {
    const bed = bedOf()
    const bad = join(bed.folder, 'bad.json')
    writeFileSync(
      bad,
      JSON.stringify({ hosts: { edge: { services: ['gateway', 'nothing'], instances: 2 } } }),
    )
    const refused = await run(bed, 'up', '--placement', bad)
    assert.equal(refused.exitCode, 1)
    for (const mistake of [
      'gateway can run once only',
      'nothing, which the app does not have',
      'cart is not placed',
    ]) {
      assert.ok(refused.errors.includes(mistake), `${mistake} in ${refused.errors}`)
    }
    const good = join(bed.folder, 'good.json')
    const edge = ['registry', 'gateway']
    const goods = ['events', 'catalog', 'search', 'inventory']
    const others = Object.keys(app.services).filter((name) => ![...edge, ...goods, ...outside].includes(name))
    const hosts = {
      edge: { services: edge },
      goods: { services: goods, instances: 2 },
      people: { services: others },
    }
    writeFileSync(good, JSON.stringify({ hosts }))
    const policies = join(bed.folder, 'policies.yaml')
    const write = (policy: string): void =>
      writeFileSync(policies, `services: { catalog: { balance: { policy: ${policy} } } }`)
    write('fastest')
    const up = await startUp(bed, ['--placement', good], { FLOTILLA_POLICIES: policies })
    const [told, hint] = up.output().split('\n')
    assert.match(told ?? '', /policies\.yaml: \/services\/catalog\/balance\/policy: must be equal to one of/)
    assert.match(hint ?? '', /No policy holds until this is mended; see: npx flotilla policies/)
    const log = (): string => readFileSync(join(bed.folder, 'logs/edge-1.log'), 'utf8')
    assert.match(log(), /\/services\/catalog\/balance\/policy: /)
    write('round_robin')
    await until('the policies hold', () => log().includes('the policies hold'))
    // It finds those of the running system.
    const checked = await run(bed, 'policies', '--json')
    assert.deepEqual(JSON.parse(checked.output), {
      file: policies,
      isOk: true,
      mistakes: [],
      services: ['catalog'],
      routes: 0,
      upstreams: 0,
    })
    const { output } = await run(bed, 'ps', '--json')
    const names = (JSON.parse(output) as { name: string }[]).map(({ name }) => name)
    const alone = outside.map((name) => `${name}-1`)
    assert.deepEqual(names.sort(), ['control', 'edge-1', 'goods-1', 'goods-2', 'people-1', ...alone].sort())
    // The process that has the registry finds the others too.
    const home = await fetch(`http://127.0.0.1:${bed.gatewayPort}/api/v1/home`)
    assert.equal(home.status, 200)
    assert.deepEqual(((await home.json()) as { partial: unknown[] }).partial, [])
    await stop(up)
  })

  it('prints what is wrong with a setting, once, and stops', async () => {
    const bed = bedOf()
    const up = start(bed, ['up'], { GATEWAY_FREE_PER_MINUTE: 'many' })
    const exitCode = await new Promise((resolve) => up.child.once('exit', resolve))
    assert.equal(exitCode, 1)
    assert.match(up.errors(), /gateway-1 does not start.*GATEWAY_FREE_PER_MINUTE is not usable/s)
    assert.deepEqual(processesOf(bed), [])
  })
  it('stops, with exit status 1, when PostgreSQL ends and its data was removed', async () => {
    const bed = bedOf()
    const up = await startUp(bed, ['--placement', 'monolith'])
    const [server = 0] = processesOf(bed)
    const ended = new Promise<number | null>((resolve) => up.child.once('close', resolve))
    await removeFolder(join(bed.folder, 'postgres'))
    process.kill(server, 'SIGKILL')
    assert.equal(await ended, 1)
    assert.match(up.errors(), /^error: PostgreSQL ended, and its data in .*postgres is gone: .*\n$/)
    assert.deepEqual(processesOf(bed), [])
    assert.equal(existsSync(join(bed.folder, 'postgres')), false)
  })
})

// Here as well.
describe('flotilla up that is ended', () => {
  const bedOf = openOnce(makeBed)

  it('stops at once, without a word of trouble, on Ctrl-C at any step of its start', async () => {
    const bed = bedOf()
    for (const step of ['  PostgreSQL', '  migrations', '  registry', '  gateway']) {
      // A terminal signals the whole process group.
      const up = start(bed, ['up'], {}, true)
      const ended = new Promise<number | null>((resolve) => up.child.once('close', resolve))
      await until(`${step} is told`, () => up.output().includes(step))
      const startedMs = Date.now()
      process.kill(-(up.child.pid as number), 'SIGINT')
      assert.equal(await ended, 0, up.errors())
      assert.ok(Date.now() - startedMs < 10_000, step)
      assert.equal(up.errors(), '')
      assert.doesNotMatch(up.output(), /ended by itself|failed|is ready/)
      assert.match(up.output(), /Stopped in/)
      assert.deepEqual(processesOf(bed), [])
    }
  })

  it('ends with all its processes, and exit status 1, though its data folder was removed', async () => {
    const bed = bedOf()
    const up = await startUp(bed, ['--placement', 'monolith'])
    const processes = JSON.parse(readFileSync(join(bed.folder, 'processes.json'), 'utf8')) as {
      pid: number
    }[]
    // PostgreSQL, the control process, the monolith.
    assert.equal(processes.length, 3 + outside.length)
    const ended = new Promise<number | null>((resolve) => up.child.once('close', resolve))
    await removeFolder(bed.folder)
    up.child.kill('SIGTERM')
    assert.equal(await ended, 1)
    // PostgreSQL may have missed its data before the signal came.
    const first =
      /^error: (?:Everything is stopped, but the data folder|PostgreSQL ended, and its data in) .* is gone: .*\n$/
    assert.match(up.errors(), first)
    for (const { pid } of processes) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  })
})
