/**
 * A policy: which of several instances gets the next call. Pure: told the time, chance comes in, nothing is sent.
 *
 * @module
 */
import type { Endpoint } from './endpoint.ts'

/** A policy at work: it may remember what it picked. */
export interface Policy {
  /**
   * One of `candidates`; undefined when there are none.
   *
   * @param key calls with the same key belong together, where the policy cares.
   */
  pick<T extends Endpoint>(candidates: readonly T[], nowMs: number, key: string | undefined): T | undefined
}
