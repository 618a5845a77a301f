/**
 * Secrets that are handed out once and stored as their hash. They are random, so there is nothing to guess and a fast hash will
 * do; and as they are looked up by it, comparing takes the same time for all.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { Random } from '@flotilla/core/random'

/** `count` random bytes as text for URLs and headers. */
export function newSecret(random: Random, count: number): string {
  return Buffer.from(random.bytes(count)).toString('base64url')
}

/** SHA-256 of a text. */
export function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
