import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { SpanInfo, TraceSummary } from '../api/shapes.ts'
import { traceList, waterfall } from './trace-lines.ts'

class Screen {
  readonly columns: number | undefined
  readonly #end = ''

  constructor(columns?: number) {
    this.columns = columns
  }

  /** As the terminal's: a method that needs its object. */
  style(_: string, text: string): string {
    return `${text}${this.#end}`
  }
}

const screen = (columns?: number): Screen => new Screen(columns)

const span = (spanId: string, more: Partial<SpanInfo>): SpanInfo => ({
  spanId,
  name: 'orders.place',
  kind: 'server',
  service: 'orders',
  instance: 'orders-1',
  startMs: 0,
  durationMs: 100,
  code: 'ok',
  attributes: {},
  isCritical: false,
  ...more,
})

const spans = [
  span('a', { name: 'POST /orders', service: 'gateway', isCritical: true }),
  span('b', { parentId: 'a', startMs: 50, durationMs: 50, code: 'unavailable' }),
]

describe('waterfall', () => {
  it('has a bar for each span, where and as long as it was, and its name below its cause', () => {
    assert.deepEqual(waterfall(spans, 100, screen(80)), [
      '*===================   100.0  gateway POST /orders (server)',
      '          ==========    50.0   orders.place (server) unavailable',
    ])
  })

  it('is never wider than the terminal, and not cut in a file', () => {
    const one = fc.record({
      name: fc.string({ maxLength: 120 }),
      startMs: fc.double({ min: -5, max: 200, noNaN: true }),
      durationMs: fc.double({ min: 0, max: 200, noNaN: true }),
    })
    fc.assert(
      fc.property(fc.array(one, { maxLength: 30 }), fc.integer({ min: 60, max: 200 }), (parts, columns) => {
        const chain = parts.map((part, index) => span(`s${index}`, { ...part, parentId: `s${index - 1}` }))
        for (const line of waterfall(chain, 100, screen(columns))) assert.ok(line.length <= columns, line)
        const whole = waterfall(chain, 100, screen())
        for (const [index, { name }] of chain.entries()) assert.ok(whole[index]?.includes(name))
      }),
    )
  })
})

describe('traceList', () => {
  const trace: TraceSummary = {
    traceId: 'ab'.repeat(16),
    name: 'POST /api/v1/orders',
    service: 'gateway',
    startAt: '2026-01-01T10:20:30.456Z',
    durationMs: 123.45,
    spans: 91,
    errors: 2,
    services: ['gateway', 'orders', 'payments'],
  }

  it('has whole ids and the beginning of the name in 80 columns, and everything in a file', () => {
    const lines = traceList([trace], screen(80))
    assert.ok(lines.every((line) => line.length <= 80))
    assert.match(lines[1] ?? '', /^(ab){16} {2}10:20:30 {2}123\.\d {2}91 +2 +gateway POST \/ap…$/)
    assert.match(
      traceList([trace], screen())[1] ?? '',
      /gateway POST \/api\/v1\/orders {2}gateway, orders, payments$/,
    )
  })
})
