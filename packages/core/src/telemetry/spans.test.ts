import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Code } from '../kernel/code.ts'
import { seededRandom } from '../kernel/random.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import { type Span, type SpanKind, SpanRing } from './spans.ts'

const anySpan = fc.record({
  name: fc.string(),
  kind: fc.constantFrom<SpanKind>('client', 'server', 'internal', 'producer', 'consumer'),
  service: fc.string(),
  attributes: fc.option(fc.dictionary(fc.string(), fc.integer()), { nil: undefined }),
  trace: fc.nat(2),
  isFirst: fc.boolean(),
  startMs: fc.double({ min: 0, noNaN: true }),
  durationMs: fc.double({ min: 0, noNaN: true }),
  code: fc.constantFrom<Code | 'ok'>('ok', 'internal', 'unavailable'),
})

describe('SpanRing', () => {
  it('SpanRing keeps the newest spans as they were, and overwrites the oldest', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(anySpan, { maxLength: 30, size: 'max' }),
        (size, spans) => {
          const random = seededRandom(1)
          const roots = [1, 2, 3].map((seed) => TraceContext.start(seededRandom(seed), true))
          const ring = new SpanRing({ sizeMax: size })
          const model: Span[] = []
          for (const {
            service,
            name,
            kind,
            trace,
            isFirst,
            startMs,
            durationMs,
            code,
            attributes,
          } of spans) {
            const root = roots[trace] as TraceContext
            const own = root.child(random)
            const parent = isFirst ? undefined : root
            ring.of(service).record(name, kind, own, parent, startMs, durationMs, code, attributes)
            const parentId = parent?.spanId
            model.push({
              service,
              name,
              kind,
              traceId: own.traceId,
              spanId: own.spanId,
              parentId,
              startMs,
              durationMs,
              code,
              attributes,
            })
          }
          const kept = model.slice(-size)
          assert.equal(ring.recorded, model.length)
          assert.deepEqual(ring.all(), kept)
          for (const { traceId } of roots) {
            const ofTrace = kept.filter((span) => span.traceId === traceId)
            assert.deepEqual(
              ring.ofTrace(traceId),
              ofTrace.sort((a, b) => a.startMs - b.startMs),
            )
          }
        },
      ),
    )
  })
})
