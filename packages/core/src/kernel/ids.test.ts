import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createIds, derivedId, hex } from './ids.ts'
import { seededRandom } from './random.ts'
import { VirtualClock } from './virtual-clock.ts'

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const UUID_V8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
/** 48 bits hold milliseconds up to the year 10889. */
const anyTimeMs = fc.integer({ min: 0, max: 2 ** 48 - 1 })

describe('createIds', () => {
  it('createIds makes UUIDs version 7 that carry the time they were made at', () => {
    fc.assert(
      fc.property(anyTimeMs, fc.integer(), (ms, seed) => {
        const id = createIds(new VirtualClock(ms), seededRandom(seed))()
        assert.match(id, UUID_V7)
        assert.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), ms)
      }),
    )
  })

  it('createIds makes ids whose order is the order of their times', () => {
    fc.assert(
      fc.property(anyTimeMs, anyTimeMs, fc.integer(), (one, other, seed) => {
        fc.pre(one < other)
        const random = seededRandom(seed)
        assert.ok(createIds(new VirtualClock(one), random)() < createIds(new VirtualClock(other), random)())
      }),
    )
  })

  it('createIds makes no id twice within one millisecond', () => {
    const newId = createIds(new VirtualClock(), seededRandom(1))
    assert.equal(new Set(Array.from({ length: 10_000 }, newId)).size, 10_000)
  })

  it('createIds uses all 74 bits of chance', () => {
    const newId = createIds(new VirtualClock(), seededRandom(1))
    const bits = Array.from({ length: 200 }, newId).map((id) => BigInt(`0x${id.replaceAll('-', '')}`))
    const everSet = bits.reduce((all, id) => all | id)
    const alwaysSet = bits.reduce((all, id) => all & id)
    const changing = (everSet & ~alwaysSet).toString(2).replaceAll('0', '')
    assert.equal(changing.length, 74)
  })
})

describe('derivedId', () => {
  it('derivedId is a UUID version 8 that follows from scope and name, and from where one ends', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string({ minLength: 1 }), (scope, name, moved) => {
        const id = derivedId(scope, `${moved}${name}`)
        assert.match(id, UUID_V8)
        assert.equal(id, derivedId(scope, `${moved}${name}`))
        assert.notEqual(id, derivedId(`${scope}${moved}`, name))
      }),
    )
  })

  it('derivedId never changes: stored ids were made by it', () => {
    assert.equal(derivedId('orders', 'key-1'), '13a2fa54-2e9e-8386-bcd8-fa6fc4ffa15c')
  })
})

describe('hex', () => {
  it('hex is read back and has its width', () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), (value) => {
        const text = hex(value, 8)
        assert.match(text, /^[0-9a-f]{8}$/)
        assert.equal(Number.parseInt(text, 16), value)
      }),
    )
  })
})
