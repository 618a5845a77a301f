/**
 * A hash of text, for spreading: quick, the same in every process, of no use against somebody who chooses the text.
 *
 * @module
 */

/**
 * FNV-1a of 32 bits over the UTF-8 bytes of `text`, as an unsigned number.
 *
 * @source Fowler, Noll, Vo: http://www.isthe.com/chongo/tech/comp/fnv/
 *
 * @example
 * ```ts
 * import { fnv1a } from '@flotilla/core/hash'
 * assert.deepEqual(['', 'a', 'foobar'].map(fnv1a), [0x811c9dc5, 0xe40c292c, 0xbf9cf968])
 * ```
 */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/**
 * Mixes two hashes into one of which every bit depends on every bit of both.
 *
 * @source the finalizer of MurmurHash3, Austin Appleby
 */
export function mix(one: number, other: number): number {
  let hash = one ^ Math.imul(other, 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
