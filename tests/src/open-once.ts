/**
 * A system that is opened once for all tests of a suite.
 *
 * @module
 */
import { after, before } from 'node:test'

/** What opens it, to be closed by what it gives to `after`, the last first. */
type Open<T> = (t: { after(cleanUp: () => Promise<void>): void }) => Promise<T>

/** Has `open` called before the suite's tests; what it gave is to be asked for within a test. */
export function openOnce<T>(open: Open<T>): () => T {
  const cleanUps: (() => Promise<void>)[] = []
  let opened: T | undefined
  before(async () => {
    opened = await open({ after: (cleanUp) => cleanUps.unshift(cleanUp) })
  })
  after(async () => {
    for (const cleanUp of cleanUps) await cleanUp()
  })
  return () => opened as T
}
