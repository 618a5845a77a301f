import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bounded, compact, cut, linesOf, shown, TEXT_CHARS_MAX } from './answer-text.ts'

describe('linesOf', () => {
  it('has single values in a line, and each list under its name, an item a line', () => {
    const output = { items: [{ a: 1 }, { a: 2 }], nextCursor: null, at: 'now', none: [] }
    assert.deepEqual(linesOf(output), [
      '{"nextCursor":null,"at":"now"}',
      'items (2):',
      '{"a":1}',
      '{"a":2}',
      'none (0):',
    ])
    assert.deepEqual(linesOf({ items: [] }), ['items (0):'])
  })
})

describe('compact', () => {
  it('keeps five digits of what is measured, whole numbers and times as they are, and no small pictures', () => {
    const value = {
      rate: 1 / 3,
      errorShare: 0.000123456,
      bytes: 123456789,
      atMs: 1.7e12 + 0.5,
      spark: [1, 2],
    }
    assert.equal(
      compact(value),
      '{"rate":0.33333,"errorShare":0.00012346,"bytes":123456789,"atMs":1700000000000.5}',
    )
  })

  it('has one line in which everything is seen, whatever is in it, and is still JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = compact(value)
        assert.match(text, /^[^\p{Cc}\p{Cf}\u2028\u2029]*$/u)
        JSON.parse(text)
      }),
    )
    const text = compact({ message: 'a\nitems (9):\u202e\u{e0041}\u009b1m' })
    assert.equal(text, '{"message":"a\\nitems (9):\\u202e\\udb40\\udc41\\u009b1m"}')
    assert.equal(JSON.parse(text).message, 'a\nitems (9):\u202e\u{e0041}\u009b1m')
  })
})

describe('shown', () => {
  it('leaves what people see as it is', () => {
    for (const text of ['Grüße, 東京, 😀', 'a "b" \\ c', '']) assert.equal(shown(text), text)
    assert.equal(shown('a\r\nb\u200bc'), 'a\\u000d\\u000ab\\u200bc')
  })
})

describe('bounded', () => {
  it('has no more than there is room for, and says what is missing and how to ask for less', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 30 }), (lengths) => {
        const lines = lengths.map((length) => 'x'.repeat(length))
        const text = bounded(lines, 'a service')
        assert.ok(text.length <= TEXT_CHARS_MAX)
        const told = text.split('\n')
        const missing = /^truncated: (\d+) of (\d+) lines left out; narrow by a service$/.exec(
          told.at(-1) ?? '',
        )
        const whole = missing === null ? lines.length : told.length - 1
        assert.equal(whole + Number(missing?.[1] ?? 0), lines.length)
      }),
    )
  })
})

describe('cut', () => {
  it('says how much is missing', () => {
    assert.equal(cut('12345', 5), '12345')
    assert.equal(cut('123456789', 5), '12345… (4 more characters)')
  })
})
