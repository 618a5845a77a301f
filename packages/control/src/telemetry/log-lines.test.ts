import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLogger } from '@flotilla/core/log'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import { readLogLines } from './log-lines.ts'

const source = { process: 'orders-1', readAtUs: 5 }

describe('readLogLines', () => {
  it('reads what our logger writes', () => {
    const written: string[] = []
    const log = createLogger({
      level: 'debug',
      clock: new VirtualClock(1_790_000_000_123),
      fields: { service: 'orders', instance: 'i1' },
      destination: { write: (line) => written.push(...line.trimEnd().split('\n')) },
    })
    log.warn('slow', { trace_id: 'ab'.repeat(16), span_id: 'cd'.repeat(8), order: { id: 'o-1' } })
    assert.deepEqual(readLogLines(written, source), [
      {
        timeUs: 1_790_000_000_123_000,
        level: 'warn',
        service: 'orders',
        instance: 'i1',
        message: 'slow',
        traceId: 'ab'.repeat(16),
        spanId: 'cd'.repeat(8),
        fields: { order: { id: 'o-1' } },
      },
    ])
  })

  it('makes one row of foreign lines that stand together, at the time of the line before', () => {
    const crash = ['TypeError: x is not a function', '    at main.js:1:1', '{"cut']
    const own = '{"level":"info","timestamp":"2026-11-22T09:00:00.000Z","message":"up"}'
    const rows = readLogLines([...crash, own, 'Warning: old', own, 'listening'], source)
    const upUs = Date.UTC(2026, 10, 22, 9) * 1_000
    assert.deepEqual(
      rows.map(({ timeUs, level, service, message }) => [timeUs, level, service, message]),
      [
        [5, 'error', 'orders-1', crash.join('\n')],
        [upUs, 'info', 'orders-1', 'up'],
        [upUs, 'warn', 'orders-1', 'Warning: old'],
        [upUs, 'info', 'orders-1', 'up'],
        [upUs, 'info', 'orders-1', 'listening'],
      ],
    )
  })

  it('bounds what foreign lines become one row, and takes fields of a wrong type for absent', () => {
    assert.equal(
      readLogLines(
        Array.from({ length: 250 }, () => 'x'),
        source,
      ).length,
      3,
    )
    const [row] = readLogLines(['{"level":7,"timestamp":1,"service":null,"message":{},"trace_id":1}'], source)
    assert.deepEqual(
      [row?.timeUs, row?.level, row?.service, row?.message, row?.traceId],
      [5, 'info', 'orders-1', '', undefined],
    )
  })
})
