import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cleaned, correctable, unfinishedWord, withCorrections } from './words.ts'

describe('cleaned', () => {
  it('leaves what texts have', () => {
    assert.equal(cleaned('  cre\u0300me\u0000bru\ud800le\u00ade '), 'crème bru le e')
  })
})

describe('unfinishedWord', () => {
  it('is the last word, unless it is quoted, excluded or followed by something', () => {
    assert.deepEqual(unfinishedWord('red umbr'), { before: 'red ', word: 'umbr' })
    assert.deepEqual(unfinishedWord('umbr'), { before: '', word: 'umbr' })
    for (const none of ['u', '"red umbr', 'red -umbr', 'umbr:', 'umbr!', '', 'over-ear']) {
      assert.equal(unfinishedWord(none), undefined, none)
    }
  })
})

describe('correctable', () => {
  it('is every word of some length that is not excluded', () => {
    assert.deepEqual(correctable('hedphones or "teh hedphones" -blak on-ear 27mm'), [
      'hedphones',
      'teh',
      'ear',
      '27mm',
    ])
  })
})

describe('withCorrections', () => {
  it('replaces words and leaves everything between them', () => {
    const corrections = new Map([['hedphones', 'headphones']])
    assert.equal(
      withCorrections('"hedphones"  -hedphones HEDPHONES!', corrections),
      '"headphones"  -hedphones HEDPHONES!',
    )
  })
})
