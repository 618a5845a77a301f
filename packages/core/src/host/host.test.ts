import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { anyone } from '../contract/access.ts'
import { defineContract } from '../contract/contract.ts'
import { command, query, stream } from '../contract/operation.ts'
import { Nothing, Type } from '../contract/schema.ts'
import { systemClock } from '../kernel/clock.ts'
import { createIds } from '../kernel/ids.ts'
import { systemRandom } from '../kernel/random.ts'
import { defineService } from '../service/definition.ts'
import { createLogger } from '../telemetry/log.ts'
import { openTestApp } from '../testing/test-app.ts'
import { until } from '../testing/until.ts'
import { createKeyPair, Signer } from '../wire/credentials.ts'
import { defineApp } from './app.ts'
import type { Environment } from './config.ts'
import { type Host, openHost } from './host.ts'
import { readHostSettings } from './settings.ts'

const desk = defineContract({
  name: 'desk',
  version: 1,
  summary: 'Answers.',
  operations: {
    ask: query({ summary: 'Asks.', access: anyone, output: Nothing }),
    hold: command({ summary: 'Takes its time.', access: anyone, idempotency: 'natural', output: Nothing }),
    follow: stream({
      summary: 'Sends some items of 1,000,000 characters, then nothing for ever.',
      access: anyone,
      input: Type.Object({ items: Type.Integer() }),
      output: Type.Object({ text: Type.String() }),
    }),
  },
})

const text = 'x'.repeat(1_000_000)

/** A desk whose streams do not heed their signal. */
function openDesk() {
  const state = { holding: 0, following: 0, release: (): void => {} }
  const released = new Promise<void>((resolve) => {
    state.release = resolve
  })
  const service = defineService({
    contract: desk,
    open: () => ({
      ask: () => ({}),
      async hold() {
        state.holding++
        await released
        return {}
      },
      async *follow({ items }) {
        state.following++
        for (let item = 0; item < items; item++) yield { text }
        await new Promise(() => {})
      },
    }),
  })
  const app = defineApp({ name: 'test', folder: '.', services: { desk: async () => service } })
  return Object.assign(state, { app })
}

/** A host of its own, without a registry. */
async function openAlone(
  t: TestContext,
  app: ReturnType<typeof openDesk>['app'],
  drainDelayMs: number,
  environment: Environment = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-'))
  const { publicKey, privateKey } = createKeyPair()
  const claims = { instance: 'desk-1', services: ['desk'], expiresAt: systemClock.now() + 60_000 }
  const settings = readHostSettings({
    FLOTILLA_SERVICES: 'desk',
    FLOTILLA_INSTANCE: 'desk-1',
    FLOTILLA_FRAMES: `unix:${join(folder, 'desk.sock')}`,
    FLOTILLA_PROCESS_KEY: publicKey,
    FLOTILLA_USER_KEY: publicKey,
    FLOTILLA_CREDENTIAL: new Signer(privateKey).process(claims),
    FLOTILLA_DRAIN_DELAY_MS: String(drainDelayMs),
    ...environment,
  })
  const ports = { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) }
  const log = createLogger({ level: 'silent', clock: systemClock, fields: {} })
  const host = await openHost({ app, settings, environment: {}, ports, log })
  t.after(async () => {
    await host.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return host
}

function post({ http }: Host, operation: string, input: object = {}): Promise<Response> {
  return fetch(`${http}/operations/desk.${operation}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(input),
  })
}

describe('Host', () => {
  it('refuses what one operation cannot take, with a wait and a mark, and answers others and its health meanwhile', async (t) => {
    const opened = openDesk()
    const host = await openAlone(t, opened.app, 0, { FLOTILLA_CONCURRENCY_MAX: '2' })
    const held = [post(host, 'hold'), post(host, 'hold'), post(host, 'hold')]
    await until('two are in their handler', async () => opened.holding === 2)
    const metrics = async (): Promise<string> => (await fetch(`${host.http}/metrics`)).text()
    await until('one waits', async () =>
      (await metrics()).includes('flotilla_server_queued{service="desk",operation="desk.hold"} 1\n'),
    )
    const refused = await post(host, 'hold')
    assert.equal(refused.status, 503)
    assert.equal(refused.headers.get('retry-after'), '1')
    const { code, executed, isOverloaded } = (await refused.json()) as Record<string, unknown>
    assert.deepEqual([code, executed, isOverloaded], ['unavailable', 'no', true])
    assert.equal((await post(host, 'ask')).status, 200)
    for (const path of ['live', 'ready']) {
      assert.equal((await fetch(`${host.http}/health/${path}`)).status, 200)
    }
    const told = await metrics()
    for (const line of [
      'flotilla_server_limit{service="desk",operation="desk.hold"} 2',
      'flotilla_server_running{service="desk",operation="desk.hold"} 2',
      'flotilla_server_refused_total{service="desk",operation="desk.hold",criticality="critical",why="full"} 1',
      'flotilla_shedding_level 0',
    ]) {
      assert.ok(told.includes(`${line}\n`), line)
    }
    opened.release()
    for (const answer of held) assert.equal((await answer).status, 200)
  })
})

describe('Host.close', () => {
  it('says that it is not ready, still serves for a while, lets calls end, and only then is gone', async (t) => {
    const opened = openDesk()
    const host = await openAlone(t, opened.app, 2_000)
    const statusOf = async (path: string): Promise<number> => (await fetch(`${host.http}${path}`)).status
    assert.equal(await statusOf('/health/ready'), 200)
    const held = post(host, 'hold')
    await until('the call is in its handler', async () => opened.holding === 1)
    const closed = host.close()
    let isClosed = false
    void closed.then(() => {
      isClosed = true
    })
    await until('it is not ready', async () => (await statusOf('/health/ready')) === 503)
    assert.equal((await post(host, 'ask')).status, 200)
    assert.equal(await statusOf('/health/live'), 200)
    await until('it listens no more', () =>
      statusOf('/health/live').then(
        () => false,
        () => true,
      ),
    )
    assert.equal(isClosed, false)
    opened.release()
    assert.equal((await held).status, 200)
    await closed
  })

  it('does not wait for streams whose handlers do not heed their signal', async (t) => {
    const opened = openDesk()
    const app = await openTestApp(t, { app: opened.app, placement: 'one process' })
    const host = app.hostOf('desk')
    const items = app.call(desk).follow({ items: 1 })[Symbol.asyncIterator]()
    assert.deepEqual(await items.next(), { done: false, value: { text } })
    const overFrames = assert.rejects(items.next(), { code: 'unavailable' })
    const overHttp = await post(host, 'follow', { items: 1 })
    await closesSoon(host)
    await overFrames
    assert.match(await overHttp.text(), /event: error\n.*going away/)
  })

  it('does not wait for readers that do not read', async (t) => {
    const opened = openDesk()
    const host = await openAlone(t, opened.app, 0)
    const { hostname, port } = new URL(host.http)
    const unread = connect(Number(port), hostname).pause()
    t.after(() => unread.destroy())
    // More than the buffers of both sides hold.
    const body = JSON.stringify({ items: 50 })
    unread.write(
      `POST /operations/desk.follow HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
    await until('it is followed', async () => opened.following === 1)
    await closesSoon(host)
  })
})

/** Far below the thirty seconds after which a step of closing is given up. */
async function closesSoon(host: Host): Promise<void> {
  const startMs = systemClock.monotonicMs()
  await host.close()
  assert.ok(systemClock.monotonicMs() - startMs < 10_000)
}

describe('The policies of a host', () => {
  it('do not keep it from starting when they are wrong, and hold as soon as they are right', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'policies.yaml')
    writeFileSync(path, 'services: { desk: { balance: { policy: fastest } }, table: {} }')
    const host = await openAlone(t, openDesk().app, 0, { FLOTILLA_POLICIES: path })
    const isRefused = (refused: 0 | 1): boolean =>
      host.metrics.toPrometheus().includes(`flotilla_policies_refused ${refused}`)
    assert.ok(isRefused(1))
    assert.equal((await post(host, 'ask')).status, 200)
    writeFileSync(path, 'services: { desk: { balance: { policy: random } } }')
    await until('they hold', () => isRefused(0))
    writeFileSync(path, 'services: { table: {} }')
    await until('there is a mistake', () => isRefused(1))
  })
})
