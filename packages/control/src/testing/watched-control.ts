/**
 * The control API of a watched system as its own process would open it, with a data folder in which commands find it.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { systemRandom } from '@flotilla/core/random'
import { CONSOLE_KEY, TELEMETRY_KEY } from '../system/console-pages.ts'
import { CONTROL_FILE } from '../system/control-file.ts'
import { type DataFolder, Secrets } from '../system/data-folder.ts'
import { thisProcess } from '../system/leftovers.ts'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'
import { openTestControlHost } from './test-control-host.ts'
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
  const token = secrets.get('control token')
  const system = watchedSystem(store)
  const nobody = (): never => assert.fail('somebody acts')
  const host = await openTestControlHost(t, {
    folder,
    token,
    consoleKey: secrets.get(CONSOLE_KEY),
    telemetryKey: secrets.get(TELEMETRY_KEY),
    service: {
      ...system,
      fleet: { ...system.fleet, scale: nobody, restart: nobody, kill: nobody, down: nobody },
      isSingle: () => false,
    },
    observe: system,
  })
  const announce = (url = host.http): void =>
    folder.writeJson(CONTROL_FILE, { ...thisProcess(), url, token, isReady: true })
  announce()
  return { folder, store, url: host.http, announce, hide: () => folder.remove(CONTROL_FILE) }
}
