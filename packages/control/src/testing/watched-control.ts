/**
 * The control API of a watched system as its own process would open it, with a data folder in which commands find it.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { systemClock } from '@flotilla/core/clock'
import { createKeyPair, Signer } from '@flotilla/core/credentials'
import { readHostSettings } from '@flotilla/core/host-settings'
import { createIds } from '@flotilla/core/ids'
import { createLogger } from '@flotilla/core/log'
import { systemRandom } from '@flotilla/core/random'
import { Audit } from '../api/audit.ts'
import { CONSOLE_KEY, TELEMETRY_KEY } from '../system/console-pages.ts'
import { CONTROL_FILE } from '../system/control-file.ts'
import { openControlHost } from '../system/control-host.ts'
import { type DataFolder, Secrets } from '../system/data-folder.ts'
import { hostEnvironment } from '../system/host-environment.ts'
import { thisProcess } from '../system/leftovers.ts'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'
import { makeDataFolder } from './test-data-folder.ts'
import { openTestStore } from './test-store.ts'
import { watchedSystem } from './watched-system.ts'

/** It. */
export interface WatchedControl {
  readonly folder: DataFolder
  readonly store: TelemetryStore
  /** Where the API is. */
  readonly url: string
  /** Has commands find the API at an address: by default its own. */
  announce(url?: string): void
  /** Has them find nothing. */
  hide(): void
}

/** Opens it. */
export async function openWatchedControl(t: {
  after(cleanUp: () => void | Promise<void>): void
}): Promise<WatchedControl> {
  const folder = makeDataFolder(t)
  const store = await openTestStore(t)
  const secrets = new Secrets(folder, systemRandom)
  const keys = createKeyPair()
  const ports = { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) }
  const system = watchedSystem(store)
  const audit = new Audit({ path: join(folder.path, 'audit.jsonl'), clock: systemClock })
  const token = secrets.get('control token')
  const environment = hostEnvironment(
    {
      environment: { FLOTILLA_DRAIN_DELAY_MS: '0' },
      services: [],
      version: '1',
      socketFolder: folder.sockets,
      registryPort: 1,
      processKey: keys.publicKey,
      userKey: keys.publicKey,
      signer: new Signer(keys.privateKey),
      credentialsUntil: systemClock.now() + 3_600_000,
      databaseUrls: {},
      settings: {},
      taskSettings: {},
    },
    { instance: 'control-1', services: ['control'] },
  )
  const nobody = (): never => assert.fail('somebody acts')
  const host = await openControlHost({
    given: {
      environment,
      settings: readHostSettings(environment),
      ports,
      log: createLogger({ level: 'silent', clock: systemClock, fields: {} }),
    },
    token,
    consoleKey: secrets.get(CONSOLE_KEY),
    telemetryKey: secrets.get(TELEMETRY_KEY),
    service: {
      ...system,
      version: '1',
      fleet: { ...system.fleet, scale: nobody, restart: nobody, kill: nobody, down: nobody },
      databases: { description: 'none', urls: {} },
      isSingle: () => false,
      administrator: () => ({}),
      audit,
    },
    observe: { ...system, databaseUrls: {}, audit, storeBytesMax: 1_000_000 },
  })
  t.after(() => host.close())
  const announce = (url = host.http): void =>
    folder.writeJson(CONTROL_FILE, { ...thisProcess(), url, token, isReady: true })
  announce()
  return { folder, store, url: host.http, announce, hide: () => folder.remove(CONTROL_FILE) }
}
