/**
 * Which instances a caller connects to where there are many: each keeps connections to some, and all together to all.
 *
 * Without it, every one of m callers holds a connection to each of n instances. The subset follows from the names of caller and
 * instances alone, so a caller that comes back has the same, and an instance that leaves changes the subsets of those who had it only.
 *
 * @source rendezvous hashing, as in `consistent-hash.ts`; the problem is told in Google's "Site Reliability Engineering", chapter 20
 * @module
 */
import { fnv1a, mix } from '../kernel/hash.ts'

/** At most `maxCount` of `all` for the caller of this name; `idOf` tells them apart. */
export function subsetOf<T>(
  all: readonly T[],
  idOf: (one: T) => string,
  caller: string,
  maxCount: number,
): readonly T[] {
  if (all.length <= maxCount) return all
  const hash = fnv1a(caller)
  return all
    .map((one) => ({ one, score: mix(hash, fnv1a(idOf(one))) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, maxCount)
    .map(({ one }) => one)
}
