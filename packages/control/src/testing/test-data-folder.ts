/**
 * A data folder for one test.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DataFolder } from '../system/data-folder.ts'

/** Makes one; it is gone after the test. */
export function makeDataFolder(t: { after(cleanUp: () => void): void }): DataFolder {
  const parent = mkdtempSync(join(tmpdir(), 'flotilla-data-'))
  const folder = new DataFolder(join(parent, 'data'))
  folder.make()
  t.after(() => {
    rmSync(parent, { recursive: true })
    rmSync(folder.sockets, { recursive: true, force: true })
  })
  return folder
}
