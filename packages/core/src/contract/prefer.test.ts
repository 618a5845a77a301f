import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { waitOf } from './prefer.ts'

describe('waitOf', () => {
  it('waitOf finds the seconds among other preferences and parameters', () => {
    for (const header of [
      'wait=10',
      'WAIT=10',
      ' wait = 10 ',
      'wait=10; foo="a, wait=3"',
      'respond-async, wait=10',
      'return=minimal;x=y,wait=10,handling=lenient',
      ',, ,wait=10',
      'note="a;b,\\"wait=3\\",c", wait=10',
      'wait=10, wait=20',
      'not a preference, =, wait=10',
    ]) {
      assert.equal(waitOf(header), 10, header)
    }
    assert.equal(waitOf('wait=0'), 0)
    assert.equal(waitOf('wait=999999999999999'), 999_999_999_999_999)
  })

  it('waitOf passes over what is malformed, and does not go on to a second one', () => {
    for (const header of [
      '',
      'wait',
      'wait=',
      'wait=""',
      'wait="10"',
      'wait=-1',
      'wait=1.5',
      'wait=1e1',
      'wait=0x10',
      'wait=10s',
      'wait=10 wait=11',
      'wait=soon, wait=10',
      'wait=1234567890123456',
      'await=10',
      'foo; wait=10',
      'foo="wait=10',
      'foo=", wait=10',
    ]) {
      assert.equal(waitOf(header), undefined, header)
    }
  })

  it('waitOf takes any text', () => {
    const anyHeader = fc.string({ unit: fc.constantFrom(...'wait=10;," \\\tx') })
    fc.assert(
      fc.property(anyHeader, (text) => {
        const seconds = waitOf(text)
        assert.ok(seconds === undefined || (Number.isSafeInteger(seconds) && seconds >= 0))
      }),
    )
  })
})
