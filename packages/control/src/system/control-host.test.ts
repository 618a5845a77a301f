import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import type { Host } from '@flotilla/core/host'
import { createIds } from '@flotilla/core/ids'
import { systemRandom } from '@flotilla/core/random'
import { controlContract } from '../api/contract.ts'
import { Supervisor } from '../supervisor/supervisor.ts'
import { joinFleet } from '../testing/joined-fleet.ts'
import { openTestControlHost } from '../testing/test-control-host.ts'
import { makeDataFolder } from '../testing/test-data-folder.ts'

const TOKEN = 'the-token-of-24-charactr'
const KEY = 'the-key-of-the-console-24'

/** The control API of a system without processes. */
async function openApi(
  t: { after(cleanUp: () => void | Promise<void>): void },
  onDown: () => void,
): Promise<Host> {
  const folder = makeDataFolder(t)
  const ports = { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) }
  const placement = { name: 'test', hosts: { edge: { services: ['gateway'], instances: 1 } } }
  const supervisor = new Supervisor({
    ...ports,
    placement,
    waves: [],
    logFolder: folder.logs,
    command: () => assert.fail('nothing is started'),
    onChange: () => {},
  })
  const host = await openTestControlHost(t, {
    folder,
    token: TOKEN,
    consoleKey: KEY,
    telemetryKey: 'the-key-for-telemetry-24',
    service: {
      app: 'test',
      placement,
      contracts: [],
      fleet: joinFleet({ supervisor, clock: systemClock, onDown }).fleet,
      gateway: '',
      startedAt: '2026-01-01T00:00:00.000Z',
      isSingle: (name) => name === 'edge',
    },
  })
  t.after(() => supervisor.stop(0))
  return host
}

interface Answer {
  readonly status: number
  readonly body: string
}

/** `fetch` would not let us choose the Host header. */
function ask(
  { http }: Host,
  operation: string,
  headers: Readonly<Record<string, string>>,
  input: unknown = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${http}/operations/control.${operation}`, {
      agent: false,
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
    })
    outgoing.once('error', reject)
    outgoing.once('response', (incoming) => {
      let body = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (text: string) => {
        body += text
      })
      incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, body }))
    })
    outgoing.end(JSON.stringify(input))
  })
}

const authorized = { authorization: `Bearer ${TOKEN}` }

describe('openControlHost', () => {
  // One for all: without a registry, each takes two seconds to leave it.
  let host: Host
  let isDown = false
  const cleanUps: (() => void | Promise<void>)[] = []
  before(async () => {
    const whenDown = (): void => {
      isDown = true
    }
    host = await openApi({ after: (cleanUp) => cleanUps.push(cleanUp) }, whenDown)
  })
  after(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp()
  })

  it('answers who has the token', async () => {
    const { status, body } = await ask(host, 'status', authorized)
    assert.equal(status, 200, body)
    const { app, isReady } = JSON.parse(body)
    assert.deepEqual([app, isReady], ['test', false])
  })

  it('refuses everybody else, in every operation', async () => {
    const wrong = [
      '',
      'Bearer ',
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(0, -1)}`,
      `Bearer ${TOKEN.toUpperCase()}`,
    ]
    for (const authorization of [...wrong, TOKEN, `Basic ${TOKEN}`]) {
      for (const operation of Object.keys(controlContract.operations)) {
        const { status } = await ask(host, operation, { authorization })
        assert.equal(status, 401, `${operation} with '${authorization}'`)
      }
    }
    assert.equal((await ask(host, 'status', {})).status, 401)
    assert.equal(isDown, false)
    assert.equal((await ask(host, 'down', authorized)).status, 200)
    assert.equal(isDown, true)
  })

  it('refuses a web page whose name points here, even with the token', async () => {
    for (const name of [
      'evil.example',
      '127.0.0.1.evil.example',
      'localhost.evil.example:8090',
      '127.0.0.1@evil',
    ]) {
      assert.equal((await ask(host, 'status', { ...authorized, host: name })).status, 403, name)
    }
    for (const name of ['localhost', 'localhost:8090', '[::1]:8090', '127.0.0.1']) {
      assert.equal((await ask(host, 'status', { ...authorized, host: name })).status, 200, name)
    }
  })

  it('tells a Prometheus without a key where figures are, by its own address alone', async () => {
    const answer = await fetch(`${host.http}/prometheus/targets`)
    assert.equal(answer.headers.get('content-type'), 'application/json')
    assert.deepEqual(await answer.json(), [
      {
        targets: [new URL(host.http).host],
        labels: { process: 'control', host: 'control', instance: 'control' },
      },
    ])
    const refused = new Promise<number>((resolve, reject) => {
      const headers = { host: 'evil.example' }
      const outgoing = request(`${host.http}/prometheus/targets`, { agent: false, headers })
      outgoing.once('error', reject)
      outgoing.once('response', (incoming) => resolve(incoming.resume().statusCode ?? 0))
      outgoing.end()
    })
    assert.equal(await refused, 403)
  })

  it('lets who has the key of the console look, and act where it says so', async () => {
    const viewer = { authorization: `Bearer ${KEY}` }
    const actor = { ...viewer, 'x-flotilla-changes': 'allowed' }
    for (const [name, { kind }] of Object.entries(controlContract.operations)) {
      const { status } = await ask(host, name, viewer)
      assert.equal(status === 403, kind === 'command', `${name}: ${status}`)
    }
    assert.match((await ask(host, 'kill', viewer, { process: 'edge-1' })).body, /permission_denied/)
    assert.match((await ask(host, 'kill', actor, { process: 'edge-1' })).body, /no_process/)
    assert.match((await ask(host, 'restart', actor, { process: 'edge-1' })).body, /no_process/)
    for (const allowed of ['', 'true', 'no', 'Allowed'])
      assert.equal((await ask(host, 'kill', { ...viewer, 'x-flotilla-changes': allowed })).status, 403)
    assert.equal((await ask(host, 'status', { ...viewer, host: 'evil.example' })).status, 403)
    assert.equal((await ask(host, 'status', { 'x-flotilla-changes': 'allowed' })).status, 401)
  })

  it('listens on loopback only', async (t) => {
    const { http } = host
    assert.match(http, /^http:\/\/127\.0\.0\.1:\d+$/)
    const port = Number(new URL(http).port)
    const outside = Object.values(networkInterfaces()).flatMap((addresses = []) =>
      addresses.filter(({ internal, family }) => !internal && family === 'IPv4'),
    )
    // 127.0.0.2 is this machine, too, but not where it listens.
    for (const host of ['127.0.0.2', ...outside.map(({ address }) => address)]) {
      const socket = connect(port, host)
      t.after(() => {
        socket.destroy()
      })
      await assert.rejects(once(socket, 'connect'), host)
    }
  })

  it('says why it refuses to scale and to call', async () => {
    const scaled = await ask(host, 'scale', authorized, { service: 'nothing', instances: 2 })
    assert.match(scaled.body, /no_service/)
    assert.match((await ask(host, 'scale', authorized, { service: 'gateway', instances: 2 })).body, /single/)
    assert.match(
      (await ask(host, 'call', authorized, { operation: 'no.thing', input: {} })).body,
      /no_operation/,
    )
  })
})
