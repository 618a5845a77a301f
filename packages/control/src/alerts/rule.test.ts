import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ValueUnit } from './rule.ts'
import { summaryOf } from './rule.ts'
import { ruleOf } from './rule-spec.ts'

describe('summaryOf', () => {
  it('says values as people read them, and leaves braces of something else alone', () => {
    const said = (value: number, unit: ValueUnit): string => {
      const spec = {
        severity: 'info',
        summary: '{value} {x} {y}',
        of: { metric: 'm' },
        above: 1,
        unit,
      } as const
      return summaryOf(ruleOf('it', spec), { x: '$1' }, value)
    }
    const values = [
      [0.0531, 'share', '5.31 %'],
      [0.0123, 'seconds', '12.3 ms'],
      [1.5, 'seconds', '1.5 s'],
      [300, 'seconds', '5 minutes'],
      [604_800, 'seconds', '7 days'],
      [1_234_567, 'count', '1234567'],
      [12_300_000, 'bytes', '12.3 MB'],
      [0, 'bytes', '0 B'],
    ] as const
    for (const [value, unit, text] of values) assert.equal(said(value, unit), `${text} $1 {y}`)
  })
})
