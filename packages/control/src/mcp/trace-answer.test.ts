import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SpanInfo } from '../api/shapes.ts'
import { TEXT_CHARS_MAX } from './answer-text.ts'
import { traceAnswer } from './trace-answer.ts'

const span = (spanId: string, more: Partial<SpanInfo> = {}): SpanInfo => ({
  spanId,
  name: `work ${spanId}`,
  kind: 'internal',
  service: 'orders',
  instance: 'orders-1',
  startMs: 0,
  durationMs: 1,
  code: 'ok',
  attributes: {},
  isCritical: false,
  ...more,
})

const traceOf = (items: SpanInfo[]) => ({
  traceId: 'ab'.repeat(16),
  name: 'POST /orders',
  service: 'gateway',
  startAt: '2026-01-01T00:00:00.000Z',
  durationMs: 12.34,
  spans: items.length,
  errors: 0,
  services: ['orders'],
  isTruncated: false,
  logLines: 3,
  hasMoreLogLines: false,
  items,
})

describe('traceAnswer', () => {
  it('is a waterfall: causes before what they caused, what failed and what was waited for with attributes', () => {
    const { text, structured } = traceAnswer(
      traceOf([
        span('inner', {
          parentId: 'root',
          startMs: 2.04,
          durationMs: 7,
          service: 'stock',
          kind: 'client',
          code: 'unavailable',
          attributes: { 'service.version': '1', 'db.query.text': 'select 1\nfrom t' },
        }),
        span('root', { durationMs: 12.34, isCritical: true }),
        span('beside', { parentId: 'root', startMs: 3, attributes: { untold: true } }),
      ]),
    )
    assert.deepEqual(text.split('\n').slice(3), [
      '* 0.0 +12.3 orders work root (internal)',
      '  2.0 +7.0   stock work inner (client) unavailable {"db.query.text":"select 1\\nfrom t"}',
      '  3.0 +1.0   orders work beside (internal)',
    ])
    assert.match(text, /"durationMs":12\.34.*\n.*trace=(ab){16}/)
    const items = structured?.['items'] as SpanInfo[]
    assert.deepEqual(
      items.map(({ spanId }) => spanId),
      ['root', 'inner', 'beside'],
    )
    assert.deepEqual([structured?.['logLines'], structured?.['leftOut']], [3, 0])
    const many = traceAnswer({ ...traceOf([]), logLines: 500, hasMoreLogLines: true })
    assert.match(many.text, /Its log lines \(500 and more\): search_logs/)
  })

  it('keeps of thousands of spans what failed, what was waited for, and the longest; says what is missing', () => {
    const chatter = Array.from({ length: 5_000 }, (_, index) =>
      span(`s${index}`, { parentId: index === 0 ? 'root' : `s${index - 1}`, durationMs: index / 1_000 }),
    )
    const items = [
      span('root', { durationMs: 5 }),
      ...chatter,
      span('failed', { durationMs: 0, code: 'internal', name: 'x'.repeat(9_000) }),
      span('waited', { durationMs: 0, isCritical: true, attributes: { q: 'y'.repeat(9_000) } }),
    ]
    const { text, structured } = traceAnswer(traceOf(items))
    assert.ok(text.length <= TEXT_CHARS_MAX, String(text.length))
    for (const told of ['work root', 'internal', 'work waited', 'work s4999'])
      assert.ok(text.includes(told), told)
    assert.ok(!text.includes('work s10 '))
    const shownCount = text.split('\n').length - 4
    assert.ok(
      text.endsWith(
        `truncated: ${items.length - shownCount} of ${items.length} spans left out, short ones that neither failed nor were waited for`,
      ),
    )
    assert.ok(JSON.stringify(structured).length <= 2.5 * TEXT_CHARS_MAX)
    const kept = structured?.['items'] as SpanInfo[]
    assert.equal(kept.length + (structured?.['leftOut'] as number), items.length)
    assert.ok(kept.some(({ spanId }) => spanId === 'failed'))
  })
})
