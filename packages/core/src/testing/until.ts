/**
 * Waiting in tests: for a condition, never for a time.
 *
 * @module
 */
import { systemClock } from '../kernel/clock.ts'

const LOOK_AGAIN_MS = 5
/** A machine that has ten times the work it can do takes its time. */
const PATIENCE_MS = 60_000

/**
 * Waits until `condition` holds; fails, naming `what` was waited for, when it does not within `boundMs`. A bound of one's own is for what is
 * promised within it, never for what takes about so long.
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  boundMs = PATIENCE_MS,
): Promise<void> {
  const giveUpMs = systemClock.monotonicMs() + boundMs
  while (!(await condition())) {
    if (systemClock.monotonicMs() > giveUpMs) throw new Error(`Waited ${boundMs} ms in vain until ${what}.`)
    await systemClock.sleep(LOOK_AGAIN_MS)
  }
}
