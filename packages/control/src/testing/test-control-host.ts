/**
 * The control API as its own process would open it, on a data folder of the test's own.
 *
 * @module
 */
import { join } from 'node:path'
import { systemClock } from '@flotilla/core/clock'
import { createKeyPair, Signer } from '@flotilla/core/credentials'
import type { Host } from '@flotilla/core/host'
import { readHostSettings } from '@flotilla/core/host-settings'
import { createIds } from '@flotilla/core/ids'
import { createLogger } from '@flotilla/core/log'
import { systemRandom } from '@flotilla/core/random'
import { Audit } from '../api/audit.ts'
import type { ControlOptions } from '../api/service.ts'
import { type ControlHostOptions, openControlHost } from '../system/control-host.ts'
import type { DataFolder } from '../system/data-folder.ts'
import { hostEnvironment } from '../system/host-environment.ts'
import type { ObserveOptions } from '../watch/observe-service.ts'

/** What a test decides. */
export interface TestControlHostOptions
  extends Pick<ControlHostOptions, 'token' | 'consoleKey' | 'telemetryKey'> {
  readonly folder: DataFolder
  readonly service: Omit<ControlOptions, 'version' | 'databases' | 'administrator' | 'audit'>
  /** Default: nothing is observed. */
  readonly observe?: Omit<ObserveOptions, 'databaseUrls' | 'audit' | 'storeBytesMax'>
}

/** Opens it, without databases; it is closed after the test. */
export async function openTestControlHost(
  t: { after(cleanUp: () => Promise<void>): void },
  { folder, service, observe, ...keys }: TestControlHostOptions,
): Promise<Host> {
  const { publicKey, privateKey } = createKeyPair()
  const environment = hostEnvironment(
    {
      environment: { FLOTILLA_DRAIN_DELAY_MS: '0' },
      services: [],
      version: '1',
      socketFolder: folder.sockets,
      registryPort: 1,
      processKey: publicKey,
      userKey: publicKey,
      signer: new Signer(privateKey),
      credentialsUntil: systemClock.now() + 3_600_000,
      databaseUrls: {},
      settings: {},
      taskSettings: {},
    },
    { instance: 'control-1', services: ['control'] },
  )
  const audit = new Audit({ path: join(folder.path, 'audit.jsonl'), clock: systemClock })
  const host = await openControlHost({
    ...keys,
    given: {
      environment,
      settings: readHostSettings(environment),
      ports: { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) },
      log: createLogger({ level: 'silent', clock: systemClock, fields: {} }),
    },
    service: {
      ...service,
      version: '1',
      databases: { description: 'none', urls: {} },
      administrator: () => ({}),
      audit,
    },
    observe: observe && { ...observe, databaseUrls: {}, audit, storeBytesMax: 1_000_000 },
  })
  t.after(() => host.close())
  return host
}
