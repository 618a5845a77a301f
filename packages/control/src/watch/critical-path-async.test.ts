import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { criticalPath } from './critical-path.ts'

const span = (spanId: string, parentId: string | undefined, startMs: number, endMs: number) => ({
  spanId,
  ...(parentId === undefined ? {} : { parentId }),
  startUs: startMs * 1_000,
  durationUs: (endMs - startMs) * 1_000,
})

describe('the critical path of what goes on after the answer', () => {
  // An order: its saga works on when it is placed, while somebody follows the order until it is confirmed.
  const root = span('gateway', undefined, 0, 3_250)
  const spans = [
    root,
    span('place', 'gateway', 1, 75),
    span('insert', 'place', 2, 10),
    span('authorise', 'place', 119, 3_194),
    span('charge', 'authorise', 128, 3_155),
    span('publish', 'authorise', 3_170, 3_171),
    // Tells nobody who is waited for: the next step had begun.
    span('consume', 'publish', 3_204, 3_221),
    span('commit', 'place', 3_200, 3_260),
    span('follow', 'gateway', 77, 3_245),
    span('look', 'follow', 3_214, 3_216),
  ]

  it('goes through the work, not through who watches it', () => {
    const expected = ['gateway', 'place', 'insert', 'authorise', 'charge', 'publish', 'commit']
    assert.deepEqual([...criticalPath(spans, root)].sort(), expected.sort())
  })
})
