import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Random, seededRandom } from './random.ts'
import { TraceContext } from './trace-context.ts'

const anyContext = fc.tuple(fc.integer(), fc.boolean()).map(([seed, isSampled]) => {
  return TraceContext.start(seededRandom(seed), isSampled)
})
const zeros: Random = { next: () => 0, uint32: () => 0, bytes: (count) => new Uint8Array(count) }

describe('TraceContext', () => {
  it('TraceContext.parse reads back what toString wrote', () => {
    fc.assert(
      fc.property(anyContext, (context) => {
        assert.deepEqual(TraceContext.parse(context.toString()), context)
      }),
    )
  })

  it('TraceContext.toString writes back what parse read, of the flags only the one it knows', () => {
    const digits = (count: number) =>
      fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: count, maxLength: count })
    fc.assert(
      fc.property(digits(32), digits(16), digits(2), (trace, span, flags) => {
        fc.pre(/[^0]/.test(trace) && /[^0]/.test(span))
        const context = TraceContext.parse(`00-${trace}-${span}-${flags}`)
        const isSampled = Number.parseInt(flags, 16) % 2 === 1
        assert.equal(context?.toString(), `00-${trace}-${span}-${isSampled ? '01' : '00'}`)
        assert.equal(context?.traceId, trace)
        assert.equal(context?.spanId, span)
      }),
    )
  })

  it('TraceContext.parse refuses what the standard calls invalid', () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    const span = '00f067aa0ba902b7'
    assert.ok(TraceContext.parse(`00-${trace}-${span}-01`))
    for (const header of [
      '',
      `00-${trace}-${span}`,
      `00-${trace}-${span}-01-more`,
      `ff-${trace}-${span}-01`,
      `00-${trace.toUpperCase()}-${span}-01`,
      `00-${'0'.repeat(32)}-${span}-01`,
      `00-${trace}-${'0'.repeat(16)}-01`,
      `00-${trace}-${span}-01\n`,
    ]) {
      assert.equal(TraceContext.parse(header), undefined, header)
    }
  })

  it('TraceContext.start makes valid ids even from a generator that gives zeros', () => {
    const context = TraceContext.start(zeros, true)
    assert.deepEqual(TraceContext.parse(context.toString()), context)
    const child = context.child(zeros)
    assert.deepEqual(TraceContext.parse(child.toString()), child)
  })

  it('TraceContext.child stays in the trace, keeps the sampling and has a span of its own', () => {
    fc.assert(
      fc.property(anyContext, fc.integer(), (parent, seed) => {
        const child = parent.child(seededRandom(seed + 1))
        assert.equal(child.traceId, parent.traceId)
        assert.equal(child.isSampled, parent.isSampled)
        assert.match(child.spanId, /^[0-9a-f]{16}$/)
      }),
    )
    const parent = TraceContext.start(seededRandom(1), false)
    assert.notEqual(parent.child(seededRandom(2)).spanId, parent.spanId)
  })
})
