/**
 * Removing what processes still use.
 *
 * @module
 */
import { existsSync, rmSync } from 'node:fs'
import { until } from './until.ts'

/**
 * Removes a folder in which processes go on making files. `rmSync` alone fails then, with `ENOTEMPTY`: its `maxRetries` try the last step
 * again, not the files that came meanwhile.
 */
export async function removeFolder(path: string): Promise<void> {
  await until(`nobody makes another file in ${path}`, () => {
    try {
      rmSync(path, { recursive: true, force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error
    }
    return !existsSync(path)
  })
}
