/**
 * What came of asking the cache, and how that is told.
 *
 * @module
 */
import type { FlotillaError } from '@flotilla/core/error'
import type { Entry } from './entry.ts'

/**
 * - `hit`: kept and fresh.
 * - `stale`: kept, a new one is on its way, or cannot be had.
 * - `miss`: a service was asked for it.
 * - `collapsed`: a service was asked already for somebody else.
 * - `bypass`: as if there were no cache.
 */
export type How = 'hit' | 'stale' | 'miss' | 'collapsed' | 'bypass'

/** An answer or an error. */
export type Outcome = {
  readonly how: How
  /** The field `Cache-Status`. */
  readonly status: string
} & (
  | { readonly entry: Entry; readonly ageS: number; readonly error?: undefined }
  | { readonly error: FlotillaError }
)

/** `Cache-Status` of a request that passes the cache by. */
export const BYPASS = 'flotilla; fwd=bypass'

/**
 * `Cache-Status` of a kept answer.
 *
 * @source RFC 9211
 */
export function hitStatus({ freshUntilMs }: Entry, nowMs: number): string {
  return `flotilla; hit; ttl=${Math.floor((freshUntilMs - nowMs) / 1_000)}`
}

/** `Cache-Status` of one that a service was asked for. */
export function missStatus(isStored: boolean, isCollapsed: boolean): string {
  return `flotilla; fwd=miss${isStored ? '; stored' : ''}${isCollapsed ? '; collapsed' : ''}`
}

/** `Cache-Status` of a kept answer that is given out because a service failed. */
export function failedStatus({ freshUntilMs }: Entry, nowMs: number, { status }: FlotillaError): string {
  return `flotilla; fwd=stale; fwd-status=${status}; ttl=${Math.floor((freshUntilMs - nowMs) / 1_000)}`
}

/** Whole seconds since it was asked for: the field `Age`. */
export function ageOf({ bornMs }: Entry, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - bornMs) / 1_000))
}
