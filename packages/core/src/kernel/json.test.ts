import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseUntrustedJson, pointerTo } from './json.ts'

const refused = { name: 'FlotillaError', code: 'invalid_argument', executed: 'no' }
const nested = (depth: number): string => `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`
/** A text as any JSON writer may put it: every character of `text` escaped or not. */
const escapedAtWill = (text: string, escapes: readonly boolean[]): string =>
  Array.from(text, (char, index) =>
    escapes[index % escapes.length] ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : char,
  ).join('')

describe('parseUntrustedJson', () => {
  it('parseUntrustedJson reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8, stringUnit: 'binary' }), fc.boolean(), (text, isSpaced) => {
        fc.pre(!/"(__proto__|constructor)"\s*:|\\u0000/.test(text))
        const json = isSpaced ? JSON.stringify(JSON.parse(text), null, 2) : text
        assert.deepEqual(parseUntrustedJson(json), JSON.parse(json))
      }),
    )
  })

  it('parseUntrustedJson refuses what JSON.parse refuses', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        let isJson = true
        try {
          JSON.parse(text)
        } catch {
          isJson = false
        }
        fc.pre(!isJson)
        assert.throws(() => parseUntrustedJson(text), refused)
      }),
    )
  })

  it('parseUntrustedJson takes 32 levels and refuses 33', () => {
    assert.deepEqual(parseUntrustedJson(nested(32)), JSON.parse(nested(32)))
    assert.throws(() => parseUntrustedJson(`[${nested(32)}]`), refused)
    assert.throws(() => parseUntrustedJson(`{"a":${nested(32)}}`), refused)
    assert.throws(() => parseUntrustedJson('['.repeat(1_000_000)), refused)
  })

  it('parseUntrustedJson counts levels, not brackets in strings nor neighbours', () => {
    const brackets = JSON.stringify({
      text: `\\"${'[{'.repeat(50)}\\`,
      list: Array.from({ length: 50 }, () => [{}]),
    })
    assert.deepEqual(parseUntrustedJson(brackets), JSON.parse(brackets))
  })

  it('parseUntrustedJson takes 1,000 names in an object, of any number of objects, and refuses 1,001', () => {
    const named = (count: number): string =>
      `{${Array.from({ length: count }, (_, index) => `"a${index}":":"`).join(',')}}`
    const many = `[${named(1_000)},{"a":${named(1_000)}},[${named(1_000)}]]`
    assert.deepEqual(parseUntrustedJson(many), JSON.parse(many))
    for (const text of [named(1_001), `[1,${named(1_001)}]`, `{"a":{"b":${named(1_001)}}}`])
      assert.throws(() => parseUntrustedJson(text), refused)
  })

  it('parseUntrustedJson refuses __proto__ and constructor as keys at any depth, however they are written', () => {
    const anyKey = fc.constantFrom('__proto__', 'constructor')
    fc.assert(
      fc.property(anyKey, fc.array(fc.boolean(), { minLength: 1 }), fc.nat(10), (key, escapes, depth) => {
        const json = `${'[{"a":'.repeat(depth)}{"${escapedAtWill(key, escapes)}":{"x":1}}${'}]'.repeat(depth)}`
        assert.throws(() => parseUntrustedJson(json), refused)
      }),
    )
  })

  it('parseUntrustedJson refuses NUL and halves of surrogate pairs, in texts and in keys', () => {
    for (const broken of ['\\u0000', 'a\\u0000b', '\\ud83d', '\\ude00', '\\ude00\\ud83d']) {
      assert.throws(() => parseUntrustedJson(`{"a":["${broken}"]}`), refused)
      assert.throws(() => parseUntrustedJson(`{"${broken}":1}`), refused)
    }
    assert.deepEqual(parseUntrustedJson('["\\ud83d\\ude00", "\\\\u0000", "\\u0001"]'), [
      '😀',
      '\\u0000',
      '\u0001',
    ])
  })

  it('parseUntrustedJson lets the words pass where they are values or parts of keys', () => {
    const honest = { word: 'constructor', list: ['__proto__'], constructors: 1, prototype: 2 }
    assert.deepEqual(parseUntrustedJson(JSON.stringify(honest)), honest)
  })
})

describe('pointerTo', () => {
  it('pointerTo is read back, and one step whatever the name is', () => {
    assert.equal(pointerTo('a/b~c'), '/a~1b~0c')
    assert.equal(pointerTo(''), '/')
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('/', '~', '0', '1', 'a') }), (name) => {
        const [before, step = '', ...more] = pointerTo(name).split('/')
        assert.deepEqual([before, ...more], [''])
        assert.equal(step.replaceAll('~1', '/').replaceAll('~0', '~'), name)
      }),
    )
  })
})
