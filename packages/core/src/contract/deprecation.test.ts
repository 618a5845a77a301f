import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { dayMs, deprecationMistakes, describeDeprecation } from './deprecation.ts'

const day = fc
  .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10))

describe('dayMs', () => {
  it('dayMs is the beginning of the day in UTC, and of nothing else', () => {
    assert.equal(dayMs('2026-11-01'), Date.UTC(2026, 10, 1))
    fc.assert(
      fc.property(day, (its) => assert.equal(new Date(dayMs(its)).toISOString(), `${its}T00:00:00.000Z`)),
    )
    for (const wrong of [
      '',
      '2026-11',
      '2026-11-31',
      '2025-02-29',
      '2026-11-01 ',
      '1.11.2026',
      '2026-11-01Z',
    ])
      assert.ok(Number.isNaN(dayMs(wrong)), wrong)
  })
})

describe('deprecationMistakes', () => {
  it('deprecationMistakes wants an end that is later than its beginning', () => {
    fc.assert(
      fc.property(day, day, (since, sunset) => {
        const mistakes = deprecationMistakes('get', { since, sunset }, () => true)
        assert.equal(mistakes.length === 0, sunset > since)
      }),
    )
  })
})

describe('describeDeprecation', () => {
  it('describeDeprecation says what is known', () => {
    const since = '2026-11-01'
    assert.equal(describeDeprecation('things', { since }), 'Deprecated since 2026-11-01.')
    assert.equal(
      describeDeprecation('things', { since, sunset: '2027-05-01', successor: 'getV2' }),
      'Deprecated since 2026-11-01; use things.getV2 instead; it may be gone from 2027-05-01 on.',
    )
  })
})
