/**
 * A kept answer, and how long it may be used.
 *
 * It is *fresh* for its time to live, up to a tenth shorter by chance, so that what was made together is not renewed together
 * (never longer: `max-age` is a promise). For the same time again it is *stale*: given out while a new one is fetched. Then it is
 * only good for when a new one cannot be had. Pure.
 *
 * @source RFC 9111 (HTTP Caching); RFC 5861 (stale-while-revalidate, stale-if-error)
 * @module
 */
import type { Random } from '@flotilla/core/random'

/** An answer, ready to be sent. */
export interface Entry {
  readonly key: string
  readonly body: Uint8Array
  /** Strong: another one whenever the body is. */
  readonly etag: string
  readonly tags: readonly string[]
  /** When it was asked for, on the monotonic clock: what it tells is no older. */
  readonly bornMs: number
  readonly freshUntilMs: number
  /** Until then it is given out while a new one is fetched. */
  readonly staleUntilMs: number
  /** Until then it is given out when no new one can be had. */
  readonly errorUntilMs: number
  /** A new one could not be had: no attempt before then. */
  retryAtMs: number
}

/** The four moments of an answer's life. */
export type Lifetime = Pick<Entry, 'bornMs' | 'freshUntilMs' | 'staleUntilMs' | 'errorUntilMs'>

const JITTER = 0.1
/** Stale-if-error, in times to live. */
const ERROR_TTLS = 10

/** Of an answer that was asked for at `bornMs` and may be used for `ttlMs`. */
export function lifetimeOf(bornMs: number, ttlMs: number, random: Random): Lifetime {
  const freshUntilMs = bornMs + ttlMs * (1 - JITTER * random.next())
  return {
    bornMs,
    freshUntilMs,
    staleUntilMs: freshUntilMs + ttlMs,
    errorUntilMs: freshUntilMs + ERROR_TTLS * ttlMs,
  }
}

/** What an entry takes beside its body and its texts. */
const OVERHEAD_BYTES = 512
const TAG_BYTES = 96

/** How much memory it takes, about. */
export function bytesOf({ key, body, tags }: Pick<Entry, 'key' | 'body' | 'tags'>): number {
  return body.byteLength + 2 * key.length + TAG_BYTES * tags.length + OVERHEAD_BYTES
}
