/** The commands that look at a running system and act on it, as a person meets them. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Cancellation } from '@flotilla/core/cancellation'
import { systemClock } from '@flotilla/core/clock'
import { openDatabase } from '@flotilla/core/database'
import { systemRandom } from '@flotilla/core/random'
import { type Sql, sql } from '@flotilla/core/sql'
import { until } from '@flotilla/core/until'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { makeBed, processesOf, run, start, startUp } from './flotilla-process.ts'
import { openOnce } from './open-once.ts'

describe('the commands', () => {
  const bedOf = openOnce(async (t) => {
    const bed = await makeBed(t)
    await startUp(bed)
    return bed
  })

  it('show events, those that failed, and sagas, and have them go on', async () => {
    const bed = bedOf()
    const ask = async (service: string, query: Sql): Promise<void> => {
      const secrets = JSON.parse(readFileSync(join(bed.folder, 'secrets.json'), 'utf8'))
      const password = encodeURIComponent(secrets[`database ${service}`])
      const url = `postgres://shop_${service}:${password}@127.0.0.1:${bed.environment['FLOTILLA_POSTGRES_PORT']}/shop_${service}`
      const ports = { clock: systemClock, random: systemRandom }
      await using database = openDatabase({ url, name: 'test', ports })
      const call = { deadlineMs: Number.POSITIVE_INFINITY, cancellation: new Cancellation() }
      await database.session(call).execute(query)
    }
    const told = async (...args: readonly string[]): Promise<string> => {
      const { exitCode, output, errors } = await run(bed, ...args)
      assert.equal(exitCode, 0, errors)
      return output
    }
    const trouble = { code: 'internal', message: 'no room for it' }
    const error = sql.json({ ...trouble, stack: 'at the door' })
    await ask(
      'search',
      sql`insert into flotilla.parked
        (group_name, partition, position, key, event_id, topic, event, state, attempts, error) values
        ('nobody', 0, 7, 'AUD-0001', gen_random_uuid(), 'catalog.productChanged', '{"data":{"sku":"AUD-0001"}}', 'dead',
          5, ${error})`,
    )
    assert.match(await told('dlq'), /search:1 +dead +catalog\.productChanged +AUD-0001 .* no room for it/)
    const shown = await told('dlq', 'show', 'search:1')
    for (const part of ['"sku": "AUD-0001"', 'code: internal', 'at the door'])
      assert.ok(shown.includes(part), part)
    assert.match(await told('dlq', 'redrive', 'search:1'), /^Tried again: search:1$/m)
    const again = await run(bed, 'dlq', 'redrive', 'search:1')
    assert.deepEqual([again.exitCode, again.errors], [1, ''])
    assert.match(again.output, /^Left alone, since not dead: search:1$/m)
    assert.equal(JSON.parse(await told('dlq', '--json'))[0].state, 'retrying')
    assert.match(await told('dlq', 'redrive', '--all'), /Nothing is tried again/)

    const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    await ask(
      'cart',
      sql`insert into flotilla.saga (id, name, state, step, status, attempts, error, trace)
        values ('saga-1', 'checkout', '{"total":5}', 'charge', 'parked', 9, ${sql.json(trouble)}, ${trace})`,
    )
    assert.match(
      await told('saga', '--status', 'parked'),
      /saga-1 +cart checkout +parked +charge .* no room for it/,
    )
    assert.match(await told('saga', 'retry', 'saga-1'), /^cart goes on with saga-1\.$/m)
    assert.match(await told('saga', 'show', 'saga-1'), /status +ready[\s\S]*retried[\s\S]*"total": 5/)
    const unknown = await run(bed, 'saga', 'show', 'saga-2')
    assert.deepEqual([unknown.exitCode, unknown.errors], [1, 'error: There is no saga saga-2.\n'])
    await ask(
      'cart',
      sql`insert into flotilla.saga (id, name, state, step, status, attempts, trace)
        select 'old-' || number, 'checkout', '{}', 'charge', 'parked', 9, ${trace} from generate_series(1, 201) number`,
    )
    const more = /^There are more than these 200; --service and --status narrow the list\.$/m
    assert.match(await told('saga', '--status', 'parked'), more)
    const listed = await run(bed, 'saga', '--json')
    assert.equal(JSON.parse(listed.output).length, 200)
    assert.match(listed.errors, more)
    assert.doesNotMatch(await told('saga', '--status', 'ready'), more)
    const audit = readFileSync(join(bed.folder, 'logs/control.log'), 'utf8')
    assert.match(audit, /"audit":"redrive"[^\n]*search:1/)
    assert.match(audit, /"audit":"retry saga"[^\n]*saga-1/)

    assert.match(await told('cache', 'purge', 'products'), /forgets it now/)
    assert.match(await told('events', 'gateway.cachePurged'), /#\d+ gateway\.cachePurged/)
    const nothing = await run(bed, 'cache', 'purge')
    assert.deepEqual([nothing.exitCode, nothing.output], [2, ''])

    const topics = JSON.parse(await told('events', '--json')) as { topic: string }[]
    assert.ok(Array.isArray(topics))
    assert.ok(Array.isArray(JSON.parse(await told('events', '*', '--limit', '2', '--json'))))
    const following = start(bed, ['events', '*', '--follow', '--json'])
    await told('call', 'inventory.setStock', '{"sku":"AUD-0001","onHand":77}')
    await until('the event is told', () => following.output().includes('inventory.stockChanged'))
    following.child.kill('SIGINT')
    const [topic] = (JSON.parse(await told('events', '--json')) as { topic: string }[]).map(
      (one) => one.topic,
    )
    assert.ok(topic !== undefined)
    assert.match(
      await told('events', 'inventory.stockChanged', '--key', 'AUD-0001'),
      /#\d+ inventory\.stockChanged/,
    )
  })

  it('let an assistant look, wherever its client starts them', async (t) => {
    const bed = bedOf()
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } })
    t.after(() => client.close())
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [join(bed.root, 'packages/control/bin/flotilla.mjs'), 'mcp'],
        env: { ...bed.environment },
        cwd: bed.folder,
      }),
    )
    const told = async (name: string, given: Record<string, unknown> = {}): Promise<string> => {
      const { content, isError } = await client.callTool({ name, arguments: given })
      const [first] = content
      assert.ok(first?.type === 'text' && !isError, `${name}: ${JSON.stringify(content)}`)
      return first.text
    }
    const given: Readonly<Record<string, Record<string, unknown>>> = {
      service: { service: 'catalog' },
      read_series: { name: 'flotilla_server_calls_total', as: 'rate', by: 'service' },
    }
    const { tools } = await client.listTools()
    for (const { name } of tools) if (name !== 'read_trace') await told(name, given[name])
    assert.match(await told('status'), /"isReady":true/)
    assert.match(await told('processes'), /"name":"catalog-1","host":"catalog".*"state":"ready"/)
    assert.match(await told('databases'), /"service":"orders"/)
    assert.match(await told('routes'), /"target":"catalog\.products"/)
    await fetch(`http://127.0.0.1:${bed.gatewayPort}/api/v1/products`)
    const found = async (): Promise<string | undefined> =>
      /"traceId":"([0-9a-f]{32})","name":"GET \/api\/v1\/products"/.exec(await told('find_traces'))?.[1]
    await until('there is the trace', async () => (await found()) !== undefined)
    const traceId = await found()
    // Each process sends its spans when its time has come.
    await until('it has the span of the service that was asked', async () =>
      /catalog catalog\.products \(server\)/.test(await told('read_trace', { traceId })),
    )
    await until('there is the line of the request', async () =>
      /catalog\.products/.test(await told('search_logs', { q: 'service=gateway' })),
    )
  })

  it('look at a running system and act on it', async () => {
    const bed = bedOf()
    const called = await run(bed, 'call', 'inventory.stock', '{"sku":"AUD-0001"}')
    assert.equal(called.exitCode, 0, called.errors)
    assert.equal(JSON.parse(called.output).sku, 'AUD-0001')
    const refused = await run(bed, 'call', 'inventory.stock', '{"sku":"NONE-1"}')
    assert.equal(refused.exitCode, 1)
    assert.match(refused.errors, /not_found/)
    const head = await run(bed, 'call', 'events.head')
    assert.equal(head.exitCode, 0, head.errors)
    assert.equal(typeof JSON.parse(head.output).position, 'number')

    const scaled = await run(bed, 'scale', 'catalog=3')
    assert.equal(scaled.exitCode, 0, scaled.errors)
    const { output } = await run(bed, 'status', '--json')
    const hosts = JSON.parse(output).hosts as { name: string; ready: number }[]
    assert.equal(hosts.find(({ name }) => name === 'catalog')?.ready, 3)
    assert.equal((await run(bed, 'scale', 'catalog=1')).exitCode, 0)

    await fetch(`http://127.0.0.1:${bed.gatewayPort}/api/v1/home`, {
      headers: { 'x-request-id': 'look-for-me' },
    })
    await until('the access log has the request', async () => {
      const logs = await run(bed, 'logs', '--where', 'request_id=look-for-me', '--json')
      return logs.output.includes('gateway.home')
    })
    const unknown = await run(bed, 'logs', 'nothing')
    assert.equal(unknown.exitCode, 1)
    assert.equal(unknown.errors, 'error: There is no service nothing.\n')
    const looks = ['routes', 'contracts', 'openapi', 'doctor', 'ps', 'logs'].map(async (command) => {
      const ran = await run(bed, command)
      assert.equal(ran.exitCode, 0, `${command}: ${ran.errors}`)
      assert.notEqual(ran.output, '')
    })
    await Promise.all(looks)
    assert.equal((await run(bed, 'seed')).exitCode, 0)
    assert.equal((await run(bed, 'migrate', 'cart')).exitCode, 0)
    const down = await run(bed, 'down')
    assert.equal(down.exitCode, 0, down.errors)
    assert.deepEqual(processesOf(bed), [])
  })

  it('tell what is wrong in a policy file, or what it is about', async (t) => {
    const bed = await makeBed(t)
    const file = join(bed.folder, 'policies.yaml')
    const check = async (text: string, ...args: readonly string[]) => {
      writeFileSync(file, text)
      return await run(bed, 'policies', file, ...args)
    }
    const right = `services: { catalog: { operations: { product: { balance: { policy: consistent_hash, key: input.id } } } } }
gateway:
  upstreams: { legacy: { targets: [http://10.0.0.4:9000] } }
  routes:
    - { match: { path: "/shop/**" }, upstream: { name: legacy }, access: anyone }
    - { match: { path: "/api/v1/products/{id}" }, refuse: { status: 410 } }`
    const held = await check(right)
    assert.deepEqual([held.exitCode, held.errors], [0, ''])
    assert.match(
      held.output,
      /^ok: .*policies\.yaml\n {2}services +catalog\n {2}routes +2\n {2}upstreams +1\n$/,
    )

    const wrong = `services: { catalog: { operations: { getProduct: {} } }, nobody: {} }
gateway:
  routes:
    - { match: { path: "/shop/**" }, upstream: { name: legacy }, access: anyone }
    - { match: { path: "/api/v3/products/{id}" }, refuse: { status: 410 } }
cart: {}`
    const mistakes = [
      '/services/catalog/operations/getProduct: there is no such operation',
      '/services/nobody: there is no such service',
      '/gateway/routes/0/upstream/name: there is no such upstream',
      '/gateway/routes/1/match: no operation has such a route',
      '/cart: is not known; there are services, gateway',
    ]
    const refused = await check(wrong)
    assert.deepEqual([refused.exitCode, refused.output], [1, `${mistakes.join('\n')}\n`])
    assert.equal(refused.errors, `error: ${file} has 5 mistakes; nothing of it would hold.\n`)
    const told = await check(wrong, '--json')
    assert.deepEqual([told.exitCode, JSON.parse(told.output)], [1, { file, isOk: false, mistakes }])
    const broken = await check('gateway: [')
    assert.deepEqual([broken.exitCode, broken.output.trim().split('\n').length], [1, 1])
    const gone = await run(bed, 'policies', `${file}.gone`)
    assert.match(gone.output, /^ENOENT.*\n$/)
    const none = await run(bed, 'policies')
    assert.equal(none.exitCode, 2)
    assert.match(none.errors, /there is no policy file: name one, or set FLOTILLA_POLICIES; usage:/)
  })

  it('know their usage', async (t) => {
    const bed = await makeBed(t)
    const wrong = [
      ['nothing'],
      ['scale', 'catalog'],
      ['scale', 'catalog=0'],
      ['call', 'x'],
      ['logs', '--where', 'x'],
      ['ps', 'more'],
      ['events', 'orders'],
      ['events', '--limit', '0'],
      ['dlq', 'empty'],
      ['dlq', 'show', '1'],
      ['dlq', 'redrive'],
      ['dlq', 'redrive', 'search:1', '--all'],
      ['saga', 'show'],
      ['saga', '--status', 'sad'],
      ['up', '--colour', 'red'],
      [],
    ]
    const refused = wrong.map(async (args) => {
      assert.equal((await run(bed, ...args)).exitCode, 2, args.join(' '))
    })
    await Promise.all(refused)
    assert.equal((await run(bed, '--help')).exitCode, 0)
    assert.match((await run(bed, '--version')).output, /^\d+\.\d+\.\d+\n$/)
    assert.equal((await run(bed, 'up', '--help')).exitCode, 0)
  })
})
