/**
 * A bound for waits that cannot be stopped.
 *
 * @module
 */
import type { Clock } from '../kernel/clock.ts'

/** True when `promise` resolves or rejects within `boundMs`; what it came to is for those who await it. */
export function settlesWithin(clock: Clock, promise: Promise<unknown>, boundMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.schedule(boundMs, () => resolve(false))
    const settled = (): void => {
      timer.cancel()
      resolve(true)
    }
    promise.then(settled, settled)
  })
}
