import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type Clock, systemClock } from '@flotilla/core/clock'
import { createKeyPair, Signer } from '@flotilla/core/credentials'
import type { Instance } from '@flotilla/core/directory'
import { isFlotillaError } from '@flotilla/core/error'
import { openHost } from '@flotilla/core/host'
import { readHostSettings } from '@flotilla/core/host-settings'
import { createIds } from '@flotilla/core/ids'
import { createLogger } from '@flotilla/core/log'
import { systemRandom } from '@flotilla/core/random'
import { LEASE_MS, registryContract, type Update } from '@flotilla/core/registry'
import { openTestApp, type TestApp } from '@flotilla/core/test-app'
import { until } from '@flotilla/core/until'
import { registryService } from './service.ts'

const app = { name: 'test', folder: '', services: { registry: async () => registryService } }

function openRegistry(t: TestContext): Promise<TestApp> {
  return openTestApp(t, { app, placement: 'one process' })
}

interface Face {
  readonly origin: string
  status: number
  /** Requests so far. */
  asked: number
}

/** The HTTP face of a process: well until told otherwise. */
async function openFace(t: TestContext): Promise<Face> {
  const server = createServer((_, response) => {
    face.asked++
    response.writeHead(face.status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const face = { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, status: 200, asked: 0 }
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return face
}

const OURS = 'ours-1'

function recordOf(service: string, http: string): Instance {
  return { service, instance: OURS, version: '1', frames: 'unix:/tmp/ours-1.sock', http }
}

/** The registry announces itself, too. */
const ours = (instances: readonly Instance[]): Instance[] =>
  instances.filter(({ instance }) => instance === OURS)

/** The next piece of news about our instances. */
async function next(stream: AsyncIterator<Update>): Promise<Update> {
  for (;;) {
    const { value, done } = await stream.next()
    assert.ok(!done, 'the stream goes on')
    const update: Update = value
    if (update.kind === 'snapshot' || ours([update.instance]).length > 0) return update
  }
}

const isReason = (reason: string) => (error: unknown) => isFlotillaError(error) && error.reason === reason

describe('registryService', () => {
  it('tells watchers at once of instances that come and go', async (t) => {
    const opened = await openRegistry(t)
    const registry = opened.call(registryContract)
    const stream = registry.watch({})[Symbol.asyncIterator]()
    const snapshot = await next(stream)
    assert.ok(snapshot.kind === 'snapshot' && ours(snapshot.instances).length === 0)
    const instance = recordOf('tester', 'http://127.0.0.1:1')
    const fromMs = systemClock.monotonicMs()
    await registry.register(instance)
    assert.deepEqual(await next(stream), { kind: 'up', instance })
    await registry.deregister({ service: 'tester', instance: OURS })
    assert.deepEqual(await next(stream), { kind: 'down', instance, why: 'left' })
    assert.ok(systemClock.monotonicMs() - fromMs < 5_000)
    await stream.return?.()
  })

  it('lets nobody speak for another service', async (t) => {
    const registry = (await openRegistry(t)).call(registryContract)
    await assert.rejects(registry.register(recordOf('gateway', 'http://127.0.0.1:1')), isReason('not_yours'))
    const theirs = { service: 'gateway', instance: OURS }
    await assert.rejects(registry.deregister(theirs), isReason('not_yours'))
  })

  it('asks a process that is reported, and takes off all its services when it does not answer', async (t) => {
    const opened = await openRegistry(t)
    const face = await openFace(t)
    const registry = opened.call(registryContract)
    const report = (service: string): Promise<unknown> => registry.report({ service, instance: OURS })
    const list = async (): Promise<Instance[]> => ours((await registry.list({})).instances)
    await registry.register(recordOf('tester', face.origin))
    await opened.call(registryContract, { service: 'registry' }).register(recordOf('registry', face.origin))
    await report('tester')
    assert.equal(face.asked, 1)
    assert.equal((await list()).length, 2)
    face.status = 503
    await Promise.all([report('tester'), report('registry')])
    assert.equal(face.asked, 2, 'one check of a process at a time')
    assert.deepEqual(await list(), [])
    face.status = 200
    await until('both are up again', async () => (await list()).length === 2)
    await report('unknown')
  })

  it('takes off an instance whose lease ran out', async (t) => {
    const face = await openFace(t)
    let laterMs = 0
    const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + laterMs }
    const call = await openHttpRegistry(t, clock)
    await call('register', recordOf('tester', face.origin))
    assert.equal(ours((await call('list', {})).instances ?? []).length, 1)
    laterMs = LEASE_MS
    await until('its lease ran out', async () => ours((await call('list', {})).instances ?? []).length === 0)
  })
})

/** A registry on a clock of the test's; gives what calls it over HTTP as the service `tester`. */
async function openHttpRegistry(
  t: TestContext,
  clock: Clock,
): Promise<(operation: string, input: unknown) => Promise<{ instances?: Instance[] }>> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-registry-'))
  const keys = createKeyPair()
  const signer = new Signer(keys.privateKey)
  const credentialOf = (service: string): string =>
    signer.process({ instance: service, services: [service], expiresAt: clock.now() + 60_000 })
  const environment = {
    FLOTILLA_SERVICES: 'registry',
    FLOTILLA_INSTANCE: 'registry-1',
    FLOTILLA_FRAMES: `unix:${join(folder, 'registry.sock')}`,
    FLOTILLA_PROCESS_KEY: keys.publicKey,
    FLOTILLA_USER_KEY: keys.publicKey,
    FLOTILLA_CREDENTIAL: credentialOf('registry'),
    FLOTILLA_DRAIN_DELAY_MS: '0',
  }
  const host = await openHost({
    app,
    settings: readHostSettings(environment),
    environment,
    ports: { clock, random: systemRandom, newId: createIds(clock, systemRandom) },
    log: createLogger({ level: 'silent', clock, fields: {} }),
  })
  t.after(async () => {
    await host.close()
    rmSync(folder, { recursive: true })
  })
  const credential = credentialOf('tester')
  return async (operation, input) => {
    const response = await fetch(`${host.http}/operations/registry.${operation}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${credential}`,
        'x-flotilla-caller': 'tester',
        'content-type': 'application/json',
      },
      body: JSON.stringify(input),
    })
    assert.ok(response.ok, await response.clone().text())
    return (await response.json()) as { instances?: Instance[] }
  }
}
