/**
 * Chance as a port: nothing outside `kernel` draws random numbers by itself, so that a seed decides a whole run.
 *
 * @module
 */
import { randomFillSync } from 'node:crypto'

/** Where chance comes from. */
export interface Random {
  /** A number in [0, 1). For jitter and sampling: it can be guessed. */
  next(): number
  /** An unsigned 32-bit integer. For span ids and choices: it can be guessed. */
  uint32(): number
  /** `count` bytes; not to be guessed, where the source is the system's. */
  bytes(count: number): Uint8Array
}

/** A whole number in [0, bound); `bound` from 1 to 2^32. */
export function randomInteger(random: Random, bound: number): number {
  return Math.floor(random.next() * bound)
}

/**
 * A generator whose whole sequence follows from `seed`. For tests and the simulator: it can be guessed.
 *
 * @source xoshiro128** 1.1, Blackman and Vigna, https://prng.di.unimi.it/xoshiro128starstar.c; seeded by splitmix32.
 */
export function seededRandom(seed: number): Random {
  let mix = seed >>> 0
  const next32 = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0
    let z = Math.imul(mix ^ (mix >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
  return xoshiro([next32(), next32(), next32(), next32()])
}

/** xoshiro128** 1.1. */
function xoshiro(state: ArrayLike<number>): Random {
  let a = state[0] as number
  let b = state[1] as number
  let c = state[2] as number
  let d = state[3] as number
  // From zeros come only zeros.
  if ((a | b | c | d) === 0) d = 1
  const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by))
  const random: Random = {
    next: () => random.uint32() / 0x1_0000_0000,
    uint32() {
      const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
      const shifted = b << 9
      c ^= a
      d ^= b
      b ^= c
      a ^= d
      c ^= shifted
      d = rotate(d, 11)
      return result
    },
    bytes(count) {
      const bytes = new Uint8Array(count)
      for (let index = 0; index < count; index++) bytes[index] = random.uint32() & 0xff
      return bytes
    },
  }
  return random
}

// One call of the system's generator costs about a microsecond whatever its size, so small wishes share one.
const pool = new Uint8Array(8_192)
const POOLED_MAX = 64
let used = pool.length

/** Bytes of the system's cryptographic generator; each is given out once. */
function systemBytes(count: number): Uint8Array {
  if (count > POOLED_MAX) return randomFillSync(new Uint8Array(count))
  if (used + count > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const bytes = pool.slice(used, used + count)
  pool.fill(0, used, used + count)
  used += count
  return bytes
}

/**
 * The machine's chance: numbers from a fast generator that the system's one has seeded (3 ns each; two span ids are
 * drawn for every call), bytes from the system's cryptographic generator.
 */
export const systemRandom: Random = {
  ...xoshiro(new Uint32Array(systemBytes(16).buffer)),
  bytes: systemBytes,
}
