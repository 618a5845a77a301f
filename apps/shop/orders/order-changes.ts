/**
 * Waiting for a change of an order: woken at once by changes made in this process, and looking now and then for those of others.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'

/** How late a change made by another process may be seen. */
const LOOK_MS = 400

const waiting = new Map<string, Set<() => void>>()

/** The order was changed here. */
export function orderChanged(id: string): void {
  for (const wake of waiting.get(id) ?? []) wake()
}

/**
 * Resolves when it is time to look at the order again: true after a change here, false after a while. To be asked *before* looking, so that
 * no change falls between.
 */
export function nextChange(id: string, clock: Clock, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const those = waiting.get(id) ?? new Set()
    waiting.set(id, those)
    const leave = (): void => {
      timer.cancel()
      signal.removeEventListener('abort', abort)
      those.delete(wake)
      if (those.size === 0) waiting.delete(id)
    }
    const end = (isChanged: boolean): void => {
      leave()
      resolve(isChanged)
    }
    const wake = (): void => end(true)
    const abort = (): void => {
      leave()
      reject(signal.reason)
    }
    const timer = clock.schedule(LOOK_MS, () => end(false))
    those.add(wake)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
  })
}
