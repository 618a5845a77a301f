import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Random, randomInteger, seededRandom, systemRandom } from './random.ts'

const draws = (random: Random, count: number): number[] =>
  Array.from({ length: count }, () => random.uint32())

/** The published algorithms again, on big integers and without a trick. */
function reference(seed: number, count: number): number[] {
  const word = (value: bigint): bigint => BigInt.asUintN(32, value)
  let mix = word(BigInt(seed))
  const splitmix = (): bigint => {
    mix = word(mix + 0x9e3779b9n)
    let z = word((mix ^ (mix >> 16n)) * 0x21f0aaadn)
    z = word((z ^ (z >> 15n)) * 0x735a2d97n)
    return z ^ (z >> 15n)
  }
  const rotate = (value: bigint, by: bigint): bigint => word((value << by) | (value >> (32n - by)))
  const s: [bigint, bigint, bigint, bigint] = [splitmix(), splitmix(), splitmix(), splitmix()]
  return Array.from({ length: count }, () => {
    const result = word(rotate(word(s[1] * 5n), 7n) * 9n)
    const shifted = word(s[1] << 9n)
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= shifted
    s[3] = rotate(s[3], 11n)
    return Number(result)
  })
}

describe('seededRandom', () => {
  it('seededRandom is xoshiro128** 1.1 seeded by splitmix32', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) =>
        assert.deepEqual(draws(seededRandom(seed), 20), reference(seed, 20)),
      ),
    )
  })

  it('seededRandom repeats itself from the same seed and differs from another', () => {
    assert.deepEqual(draws(seededRandom(7), 100), draws(seededRandom(7), 100))
    assert.notDeepEqual(draws(seededRandom(7), 100), draws(seededRandom(8), 100))
    assert.deepEqual(seededRandom(7).bytes(16), seededRandom(7).bytes(16))
  })
})

for (const [name, random] of Object.entries({ systemRandom, seededRandom: seededRandom(42) })) {
  describe(name, () => {
    it(`${name} draws from [0, 1), whole 32-bit numbers, and bytes, each value about as often`, () => {
      const count = 20_000
      const tenths = new Array<number>(10).fill(0)
      for (let drawn = 0; drawn < count; drawn++) {
        const value = random.next()
        assert.ok(value >= 0 && value < 1)
        const tenth = Math.floor(value * 10)
        tenths[tenth] = (tenths[tenth] as number) + 1
        const whole = random.uint32()
        assert.ok(Number.isInteger(whole) && whole >= 0 && whole <= 0xffff_ffff)
      }
      // 2,000 expected, standard deviation 42: seven of them are one run in 10^11.
      for (const seen of tenths) assert.ok(Math.abs(seen - 2_000) < 300, `${seen}`)
      assert.equal(random.bytes(33).length, 33)
      assert.ok(new Set(random.bytes(64)).size > 16)
    })
  })
}

describe('randomInteger', () => {
  it('randomInteger stays in [0, bound) and reaches every value', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer(), (bound, seed) => {
        const random = seededRandom(seed)
        const seen = new Set(Array.from({ length: bound * 40 }, () => randomInteger(random, bound)))
        assert.deepEqual(
          [...seen].sort((a, b) => a - b),
          [...Array(bound).keys()],
        )
      }),
    )
    const highest: Random = { ...systemRandom, next: () => 0xffff_ffff / 0x1_0000_0000 }
    assert.equal(randomInteger(highest, 2 ** 32), 2 ** 32 - 1)
  })
})
