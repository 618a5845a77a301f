import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemRandom } from '@flotilla/core/random'
import fc from 'fast-check'
import { Seal } from './sealing.ts'

const seal = new Seal('the one secret', systemRandom)
const refused = { code: 'failed_precondition' }

describe('Seal', () => {
  it('opens what it sealed', () => {
    const text = fc.string({ unit: 'grapheme', size: 'large' })
    fc.assert(fc.property(text, text, (secret, name) => seal.open(seal.seal(secret, name), name) === secret))
  })

  it('does not open with another secret, or under another name', () => {
    const sealed = seal.seal('private', 'name')
    assert.throws(() => new Seal('another secret', systemRandom).open(sealed, 'name'), refused)
    assert.throws(() => seal.open(sealed, 'other'), refused)
  })

  it('does not open when any bit has changed, or an end is missing', () => {
    const sealed = seal.seal('private', 'name')
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed)
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      assert.throws(() => seal.open(changed, 'name'), refused)
    }
    for (let length = 0; length < sealed.length; length++) {
      assert.throws(() => seal.open(sealed.subarray(0, length), 'name'), refused)
    }
  })

  it('seals the same text differently each time', () => {
    assert.notDeepEqual(seal.seal('private', 'name'), seal.seal('private', 'name'))
  })
})
