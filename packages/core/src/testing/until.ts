/**
 * Waiting in tests: for a condition, never for a time.
 *
 * @module
 */
import { systemClock } from '../kernel/clock.ts'

const LOOK_AGAIN_MS = 5

/** Waits until `condition` holds; fails, naming `what` was waited for, when it does not within `boundMs`. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  boundMs = 5_000,
): Promise<void> {
  const giveUpMs = systemClock.monotonicMs() + boundMs
  while (!(await condition())) {
    if (systemClock.monotonicMs() > giveUpMs) throw new Error(`Waited ${boundMs} ms in vain until ${what}.`)
    await systemClock.sleep(LOOK_AGAIN_MS)
  }
}
