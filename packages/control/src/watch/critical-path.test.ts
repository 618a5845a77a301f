import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { criticalPath, rootOf } from './critical-path.ts'

interface Timed {
  readonly spanId: string
  readonly parentId?: string | undefined
  readonly startUs: number
  readonly durationUs: number
}

const SKEW_US = 1_000
const endOf = ({ startUs, durationUs }: Timed): number => startUs + durationUs
const pathOf = (spans: readonly Timed[]): string[] => {
  const root = rootOf(spans)
  return root === undefined ? [] : [...criticalPath(spans, root)].sort()
}
/** A name, its parent's name, when it began and ended, in milliseconds. */
const span = (spanId: string, parentId: string | undefined, fromMs: number, toMs: number): Timed => ({
  spanId,
  parentId,
  startUs: fromMs * 1_000,
  durationUs: (toMs - fromMs) * 1_000,
})

/** Few ids, so that there are duplicates, circles, and parents that are not there. */
const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const anySpans = fc.array(
  fc.record({
    spanId: id,
    parentId: fc.option(id, { nil: undefined }),
    startUs: fc.integer({ min: 0, max: 10_000 }),
    durationUs: fc.integer({ min: 0, max: 10_000 }),
  }),
  { minLength: 1, maxLength: 12 },
)
/** A tree: each span has one of those before it as its parent. */
const anyTree = fc
  .array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 20_000 })), {
    minLength: 1,
    maxLength: 20,
  })
  .map((all) =>
    all.map(([parent, startUs, durationUs], index): Timed => {
      const parentId = index === 0 ? undefined : `s${parent % index}`
      return { spanId: `s${index}`, parentId, startUs, durationUs }
    }),
  )

describe('criticalPath', () => {
  it('goes back from the end: at each moment along the child that was waited for', () => {
    const spans = [
      span('root', undefined, 0, 100),
      span('first', 'root', 5, 40),
      span('beside', 'root', 5, 30),
      span('second', 'root', 45, 95),
      span('inner', 'second', 50, 90),
      span('quick', 'second', 50, 60),
    ]
    assert.deepEqual(pathOf(spans), ['first', 'inner', 'root', 'second'])
  })

  it('has who outlives its parent, not who began before it, but for what clocks differ', () => {
    const root = span('root', undefined, 10, 100)
    assert.deepEqual(pathOf([root, span('late', 'root', 20, 102)]), ['late', 'root'])
    assert.deepEqual(pathOf([root, span('early', 'root', 8, 50)]), ['root'])
    const within = [span('early', 'root', 9, 50), span('late', 'root', 60, 101)]
    assert.deepEqual(pathOf([root, ...within]), ['early', 'late', 'root'])
  })

  it('has the root on it, and of every other span the parent, whatever is wrong with the ids', () => {
    fc.assert(
      fc.property(anySpans, (spans) => {
        const root = rootOf(spans)
        assert.ok(root !== undefined)
        const path = criticalPath(spans, root)
        assert.ok(path.has(root.spanId))
        for (const one of path) {
          const its = spans.filter(({ spanId }) => spanId === one)
          assert.ok(
            one === root.spanId || its.some(({ parentId }) => parentId !== undefined && path.has(parentId)),
          )
        }
      }),
    )
  })

  it('has no two children of one parent that overlap by more than clocks differ', () => {
    fc.assert(
      fc.property(anyTree, (spans) => {
        const path = criticalPath(spans, spans[0] as Timed)
        const on = spans.filter(({ spanId }) => path.has(spanId))
        for (const [index, one] of on.entries()) {
          for (const other of on.slice(index + 1)) {
            if (one.parentId === undefined || one.parentId !== other.parentId) continue
            const overlapUs = Math.min(endOf(one), endOf(other)) - Math.max(one.startUs, other.startUs)
            assert.ok(overlapUs <= SKEW_US, `${one.spanId} and ${other.spanId} overlap by ${overlapUs} µs`)
          }
        }
      }),
    )
  })

  it('has the child that ended last with all it caused, of those that began within their parent', () => {
    fc.assert(
      fc.property(anyTree, (spans) => {
        const [root] = spans as [Timed]
        const wholeEndOf = (span: Timed): number =>
          Math.max(endOf(span), ...spans.filter((one) => one.parentId === span.spanId).map(wholeEndOf))
        const children = spans.filter((one) => one.parentId === root.spanId)
        const within = children.filter((one) => one.startUs >= root.startUs)
        if (within.length === 0) return
        const lastUs = Math.max(...within.map(wholeEndOf))
        const path = criticalPath(spans, root)
        assert.ok(children.some((one) => wholeEndOf(one) >= lastUs && path.has(one.spanId)))
      }),
    )
  })
})

describe('rootOf', () => {
  it('is the earliest span whose parent is not here', () => {
    const orphan = span('orphan', 'gone', 5, 9)
    const root = span('root', undefined, 7, 9)
    assert.equal(rootOf([root, orphan, span('child', 'root', 1, 2)]), orphan)
    assert.equal(rootOf([]), undefined)
  })

  it('is the earliest of all where they are in a circle', () => {
    const first = span('a', 'b', 1, 5)
    assert.equal(rootOf([span('b', 'a', 2, 3), first]), first)
  })
})
