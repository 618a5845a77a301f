import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { spanRows } from './span-tree.ts'

const span = (spanId: string, startMs: number, parentId?: string) => ({
  spanId,
  startMs,
  ...(parentId === undefined ? {} : { parentId }),
})

describe('spanRows', () => {
  it('has each span below its cause, those of one cause by when they began, and orphans at the left edge', () => {
    const spans = [
      span('late', 5, 'root'),
      span('orphan', 9, 'gone'),
      span('early', 1, 'root'),
      span('inner', 2, 'early'),
      span('root', 0),
    ]
    assert.deepEqual(
      spanRows(spans).map(({ span: { spanId }, depth }) => `${depth} ${spanId}`),
      ['0 root', '1 early', '2 inner', '1 late', '0 orphan'],
    )
  })

  it('has every span once, whatever they name as their cause, below it where that is possible', () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
    const one = fc.record({ spanId: id, parentId: id, startMs: fc.integer({ min: 0, max: 9 }) })
    fc.assert(
      fc.property(fc.uniqueArray(one, { selector: ({ spanId }) => spanId }), (spans) => {
        const rows = spanRows(spans)
        assert.deepEqual(
          rows.map(({ span: { spanId } }) => spanId).sort(),
          spans.map(({ spanId }) => spanId).sort(),
        )
        const above: string[] = []
        for (const {
          span: { spanId, parentId },
          depth,
        } of rows) {
          if (depth > 0) assert.equal(above[depth - 1], parentId)
          above.splice(depth, above.length, spanId)
        }
      }),
    )
  })
})
