import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ago, clockTime, minuteTime } from './times.ts'

describe('ago', () => {
  it('names the largest unit', () => {
    const presentMs = 1_700_000_000_000
    assert.equal(ago(presentMs - 300, presentMs), 'now')
    assert.equal(ago(presentMs - 5_200, presentMs), '5 s ago')
    assert.equal(ago(presentMs - 185_000, presentMs), '3 min ago')
    assert.equal(ago(presentMs - 7_300_000, presentMs), '2 h ago')
    assert.equal(ago(presentMs + 5_000, presentMs), 'in 5 s')
    assert.equal(ago(Number.NaN, presentMs), '–')
  })
})

describe('clockTime', () => {
  it('has two figures for each part', () => {
    assert.match(clockTime(0), /^\d\d:\d\d:\d\d$/)
    assert.match(minuteTime(0, true), /^\d+ \w+ \d\d:\d\d$/)
  })
})
