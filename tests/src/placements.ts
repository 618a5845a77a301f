/**
 * The shop on every placement a test can open. Journeys run on all of them with the same assertions.
 *
 * - `one process`: one host with every service, in the test's process
 * - `frames`: a host for every service, in the test's process, with sockets between them
 * - `fleet` and `monolith`: real processes, as `flotilla up` starts them
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from '@flotilla/core/free-port'
import { openTestApp, type TestApp } from '@flotilla/core/test-app'
import { until } from '@flotilla/core/until'
import { app } from '@flotilla/shop/app'
import { type Bed, makeBed, startUp } from './flotilla-process.ts'
import { type ShopClient, shopClient } from './shop-client.ts'

/** Where the shop can run. */
export const placements = ['one process', 'frames', 'monolith', 'fleet'] as const

/** One of them. */
export type PlacementName = (typeof placements)[number]

/** A running shop. */
export interface Shop extends ShopClient {
  readonly admin: { readonly email: string; readonly password: string }
  /** Where it runs in the test's process. */
  readonly hosts: TestApp | undefined
  /** Where it runs as real processes. */
  readonly bed: Bed | undefined
}

interface Test {
  after(cleanUp: () => Promise<void>): void
}

const ADMIN = 'admin@shop.test'
const ADMIN_PASSWORD = 'the password of the tests'

/** Tests ask more often than people. */
const LIMITS = {
  GATEWAY_ADDRESS_PER_MINUTE: '1000000',
  GATEWAY_ANONYMOUS_PER_MINUTE: '1000000',
  GATEWAY_FREE_PER_MINUTE: '1000000',
  GATEWAY_STRICT_PER_MINUTE: '1000000',
}

/** Opens the shop for one test, seeded. */
export function openShop(t: Test, placement: PlacementName): Promise<Shop> {
  return placement === 'one process' || placement === 'frames'
    ? openHere(t, placement)
    : openProcesses(t, placement)
}

/** Waits until the search knows the first assortment, which it hears of by events. */
export async function untilSearchable({ api }: Pick<Shop, 'api'>): Promise<void> {
  await until('the search knows the first assortment', async () => {
    // Whatever has not this word: all there is, counted by category.
    const { body } = await api('/search?q=-quincunx&limit=1')
    const categories = body.facets?.find(({ name }: { name: string }) => name === 'category')?.values ?? []
    return categories.reduce((sum: number, { count }: { count: number }) => sum + count, 0) === 240
  })
}

async function openHere(t: Test, placement: 'one process' | 'frames'): Promise<Shop> {
  const port = await findFreePort()
  const hosts = await openTestApp(t, {
    app,
    placement,
    environment: {
      ...LIMITS,
      GATEWAY_PORT: String(port),
      AUTH_ADMIN_PASSWORD: ADMIN_PASSWORD,
      GATEWAY_ACCESS_LOG: devNull,
      AUTH_SEALING_KEY: 'the sealing key of the tests',
    },
  })
  const admin = { email: ADMIN, password: ADMIN_PASSWORD }
  return { ...shopClient(`http://127.0.0.1:${port}`), admin, hosts, bed: undefined }
}

async function openProcesses(t: Test, placement: 'monolith' | 'fleet'): Promise<Shop> {
  const bed = await makeBed(t)
  await startUp(bed, ['--placement', placement], LIMITS)
  const secrets = JSON.parse(readFileSync(join(bed.folder, 'secrets.json'), 'utf8')) as Record<string, string>
  const admin = { email: ADMIN, password: secrets['login adminPassword'] as string }
  return { ...shopClient(`http://127.0.0.1:${bed.gatewayPort}`), admin, hosts: undefined, bed }
}
