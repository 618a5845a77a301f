/**
 * A telemetry store for a test, in a folder that goes with it.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '@flotilla/core/clock'
import { openTelemetryStore, type TelemetryStore } from '../telemetry/telemetry-store.ts'

/** Opens it. */
export async function openTestStore(
  t: { after(cleanUp: () => Promise<void>): void },
  clock: Clock = systemClock,
): Promise<TelemetryStore> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-telemetry-'))
  const store = await openTelemetryStore({ folder, clock, log: { warn() {} } })
  t.after(async () => {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return store
}
