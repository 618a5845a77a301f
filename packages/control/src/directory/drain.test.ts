import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { anyone } from '@flotilla/core/access'
import { systemClock } from '@flotilla/core/clock'
import { Closing } from '@flotilla/core/closing'
import { defineContract } from '@flotilla/core/contract'
import { createKeyPair, Signer } from '@flotilla/core/credentials'
import { type Host, openHost } from '@flotilla/core/host'
import { readHostSettings } from '@flotilla/core/host-settings'
import { createIds } from '@flotilla/core/ids'
import { createLogger } from '@flotilla/core/log'
import { command } from '@flotilla/core/operation'
import { systemRandom } from '@flotilla/core/random'
import { Nothing, Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { until } from '@flotilla/core/until'
import { registryService } from './service.ts'

// Never retried once it may have run: a call that is lost stays lost.
const spec = { summary: 'Works.', access: anyone, idempotency: 'none' } as const
const desk = defineContract({
  name: 'desk',
  version: 1,
  summary: 'Works.',
  operations: { work: command({ ...spec, output: Nothing }) },
})
const clerk = defineContract({
  name: 'clerk',
  version: 1,
  summary: 'Has others work.',
  operations: { ask: command({ ...spec, output: Type.Object({}) }) },
})

const deskService = defineService({
  contract: desk,
  open: () => ({
    async work(_, ctx) {
      await ctx.clock.sleep(20)
      return {}
    },
  }),
})
const clerkService = defineService({
  contract: clerk,
  calls: [desk],
  open: () => ({ ask: (_, ctx) => ctx.call(desk).work() }),
})

/** Opens a host of one service, in this process. What it warns of goes into `lines`. */
type Open = (instance: string, service: string) => Promise<Host>

function makeBed(t: TestContext): { readonly open: Open; readonly lines: readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-'))
  const closing = new Closing(systemClock, 40_000)
  t.after(() => closing.close())
  closing.defer('folder', () => rmSync(folder, { recursive: true, force: true }))
  const lines: string[] = []
  const services = {
    registry: async () => registryService,
    desk: async () => deskService,
    clerk: async () => clerkService,
  }
  const { publicKey, privateKey } = createKeyPair()
  const signer = new Signer(privateKey)
  const open: Open = async (instance, service) => {
    const expiresAt = systemClock.now() + 600_000
    const environment = {
      FLOTILLA_SERVICES: service,
      FLOTILLA_INSTANCE: instance,
      FLOTILLA_FRAMES: `unix:${join(folder, `${instance}.sock`)}`,
      FLOTILLA_REGISTRY: service === 'registry' ? '' : `unix:${join(folder, 'registry.sock')}`,
      FLOTILLA_PROCESS_KEY: publicKey,
      FLOTILLA_USER_KEY: publicKey,
      FLOTILLA_CREDENTIAL: signer.process({ instance, services: [service], expiresAt }),
    }
    const host = await openHost({
      app: { name: 'test', folder, services },
      settings: readHostSettings(environment),
      environment,
      ports: { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) },
      log: createLogger({
        level: 'warn',
        clock: systemClock,
        fields: { instance },
        destination: { write: (text: string) => void lines.push(text) },
      }),
    })
    closing.defer(instance, () => host.close())
    return host
  }
  return { open, lines }
}

it('a host that closes under load loses no call, and does not wait for the watches of others', async (t) => {
  const { open } = makeBed(t)
  const registry = await open('registry', 'registry')
  const first = await open('desk-1', 'desk')
  await open('desk-2', 'desk')
  const { http } = await open('clerk', 'clerk')

  let isOver = false
  const statuses: number[] = []
  const caller = async (): Promise<void> => {
    while (!isOver) statuses.push((await fetch(`${http}/operations/clerk.ask`, { method: 'POST' })).status)
  }
  const callers = [1, 2, 3, 4].map(caller)
  const more = async (count: number): Promise<void> => {
    const target = statuses.length + count
    await until('calls were made', async () => statuses.length >= target)
  }
  await until('the first works', async () => first.inFlight > 0)
  await more(20)
  await first.close()
  await more(20)
  isOver = true
  await Promise.all(callers)
  assert.deepEqual(new Set(statuses), new Set([200]))

  const startMs = systemClock.monotonicMs()
  await registry.close()
  assert.ok(systemClock.monotonicMs() - startMs < 10_000)
})

it('a host that has stopped following the registry is told nothing of its end, and still reaches the others', async (t) => {
  const { open, lines } = makeBed(t)
  const registry = await open('registry', 'registry')
  await open('desk', 'desk')
  const clerk = await open('clerk', 'clerk')
  await open('follower', 'clerk')
  const ask = async (): Promise<number> =>
    (await fetch(`${clerk.http}/operations/clerk.ask`, { method: 'POST' })).status
  await until('the clerk knows the desk', async () => (await ask()) === 200)
  await clerk.stopFollowing()
  await registry.close()
  await until('the follower misses the registry', async () =>
    lines.some((line) => line.includes('"instance":"follower"') && line.includes('the registry is away')),
  )
  assert.equal(await ask(), 200)
  await clerk.close()
  const told = lines.filter(
    (line) => line.includes('"instance":"clerk"') && line.includes('the registry is away'),
  )
  assert.deepEqual(told, [])
})
