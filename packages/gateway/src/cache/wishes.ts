/**
 * What a request says about caching. Pure.
 *
 * `no-cache` and `max-age` are heeded down to a second: who asks for something newer still gets what is a second old at most. So
 * nobody can make the services work for every request by a field; they are asked once a second and answer at the most, which the
 * client's own limits count like any request. `only-if-cached` is heeded. `no-store` keeps out of the store what was fetched for this
 * request alone. The others (`max-stale`, `min-fresh`, `Pragma`) are left: a cache may ignore them all.
 *
 * @source RFC 9111, 5.2.1: request directives are advisory
 * @module
 */

/** What is wished for. */
export interface Wishes {
  /** Milliseconds an answer may be old; infinite where nothing is said. */
  readonly ageMsMax: number
  readonly isStoreRefused: boolean
  readonly isOnlyIfKept: boolean
}

const AGE_FLOOR_MS = 1_000
/** The field may be as long as a head; nobody has that much to say. */
const CHARS_MAX = 500

/** Nothing is said. */
export const noWishes: Wishes = {
  ageMsMax: Number.POSITIVE_INFINITY,
  isStoreRefused: false,
  isOnlyIfKept: false,
}

/** Reads the field `Cache-Control` of a request. */
export function readWishes(cacheControl: string | undefined): Wishes {
  if (cacheControl === undefined || cacheControl.length > CHARS_MAX) return noWishes
  let { ageMsMax, isStoreRefused, isOnlyIfKept } = noWishes
  for (const directive of cacheControl.toLowerCase().split(',')) {
    const word = directive.trim()
    const [, seconds] = /^max-age="?(\d{1,10})"?$/.exec(word) ?? []
    if (seconds !== undefined) ageMsMax = Math.min(ageMsMax, Number(seconds) * 1_000)
    else if (word === 'no-cache') ageMsMax = 0
    else if (word === 'no-store') isStoreRefused = true
    else if (word === 'only-if-cached') isOnlyIfKept = true
  }
  return { ageMsMax: Math.max(ageMsMax, AGE_FLOOR_MS), isStoreRefused, isOnlyIfKept }
}
