/**
 * Identifiers: unique, sortable by time of creation, opaque to everybody else.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

/** Makes a new identifier at each call. */
export type NewId = () => string

/**
 * A maker of UUIDs version 7: 48 bits of wall-clock milliseconds, then 74 random bits. Rows that use them as a
 * key arrive in index order, which a random UUID would not.
 *
 * @source RFC 9562, section 5.7
 */
export function createIds(clock: Clock, random: Random): NewId {
  return () => {
    const ms = clock.now()
    const high = Math.floor(ms / 0x10000)
    const low = ms & 0xffff
    // Not to be guessed from another one, although nothing may depend on that.
    const chance = Buffer.from(random.bytes(10)).toString('hex')
    const variant = hex(0x8 | (Number.parseInt(chance[3] as string, 16) & 0x3), 1)
    return `${hex(high, 8)}-${hex(low, 4)}-7${chance.slice(0, 3)}-${variant}${chance.slice(4, 7)}-${chance.slice(8)}`
  }
}

/**
 * The identifier that follows from `scope` and `name`: the same two always give the same one, so that work done
 * again cannot make a second thing.
 *
 * @source RFC 9562, section 5.8 (version 8, from SHA-256)
 */
export function derivedId(scope: string, name: string): string {
  const digest = createHash('sha256').update(`${scope.length}:${scope}${name}`).digest('hex')
  const variant = ((Number.parseInt(digest.slice(16, 20), 16) & 0x3fff) | 0x8000).toString(16)
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}-${digest.slice(20, 32)}`
}

/** `value` as `digits` lower-case hexadecimal digits. */
export function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

const octets = Array.from({ length: 256 }, (_, value) => hex(value, 2))

/** A 32-bit number as eight digits. `Number.toString(16)` takes a slow way for those that have the highest bits. */
export function hex32(value: number): string {
  return (
    (octets[value >>> 24] as string) +
    (octets[(value >>> 16) & 0xff] as string) +
    (octets[(value >>> 8) & 0xff] as string) +
    (octets[value & 0xff] as string)
  )
}
