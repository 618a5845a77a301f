import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import fc from 'fast-check'
import { type AccessEntry, AccessLog } from './access-log.ts'

const entry: AccessEntry = {
  method: 'GET',
  path: '/api/v1/things',
  operation: 'things.list',
  upstream: undefined,
  status: 200,
  durationMs: 1.239,
  bytes: 12,
  address: '127.0.0.1',
  peer: { protocol: 'h1', tlsVersion: undefined },
  userId: undefined,
  requestId: 'r1',
  traceId: '1'.repeat(32),
  parentTrace: undefined,
  userAgent: undefined,
  code: undefined,
  cache: undefined,
  error: undefined,
}

describe('AccessLog', () => {
  it('writes a line of JSON in ASCII whatever clients send, cut where it is long', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 300 }))
    fc.assert(
      fc.property(text, text, text, text, (path, requestId, userAgent, error) => {
        const { log, lines } = open()
        log.add({ ...entry, path, requestId, userAgent, error })
        log.add({ ...entry, userAgent })
        log.flush()
        const [first, second] = lines()
        assert.equal(first?.['path'], path)
        assert.equal(first?.['request_id'], requestId.slice(0, 200))
        assert.equal(first?.['user_agent'], userAgent.slice(0, 200))
        assert.equal(first?.['error'], error)
        assert.equal(second?.['user_agent'], userAgent.slice(0, 200))
        assert.equal(second?.['duration_ms'], 1.24)
        assert.equal(second?.['request_id'], 'r1')
      }),
    )
  })

  it('writes before there is no room for one more of the longest', () => {
    const { log, lines } = open()
    const longest = '\u2028'.repeat(9_000)
    const all = { path: longest, userId: longest, requestId: longest, userAgent: longest, error: longest }
    for (let count = 0; count < 20; count++) {
      log.add(entry)
      log.add({ ...entry, ...all })
    }
    log.flush()
    assert.equal(lines().length, 40)
    assert.equal(lines()[39]?.['path'], longest.slice(0, 8_192))
    assert.equal(lines()[39]?.['error'], longest.slice(0, 1_000))
  })

  it('tells durations to a hundredth of a millisecond, and the time to a millisecond', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e7, noNaN: true }),
        fc.date({ noInvalidDate: true }),
        (durationMs, at) => {
          fc.pre(at.getTime() >= 0 && at.getUTCFullYear() < 10_000)
          const { log, lines } = open({ clock: { ...systemClock, now: () => at.getTime() } })
          log.add({ ...entry, durationMs })
          log.flush()
          const [line] = lines()
          assert.ok(Math.abs(Number(line?.['duration_ms']) - durationMs) <= 0.005 + 1e-6)
          assert.equal(line?.['timestamp'], at.toISOString())
        },
      ),
    )
  })

  it('says how many lines could not be written, and goes on', () => {
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    let isFull = true
    const { log, lines, lost } = open({
      onWrite: () => {
        if (isFull) throw full
      },
    })
    for (let count = 0; count < 3; count++) log.add(entry)
    log.flush()
    assert.deepEqual(lost, [[3, full]])
    isFull = false
    log.add({ ...entry, requestId: 'r2' })
    log.flush()
    assert.deepEqual(
      lines().map((line) => line['request_id']),
      ['r2'],
    )
    log.flush()
    assert.equal(lines().length, 1)
    assert.equal(lost.length, 1)
  })
})

function open({ onWrite = () => {}, clock = systemClock } = {}) {
  let text = ''
  const lost: [lines: number, error: unknown][] = []
  const log = new AccessLog({
    clock,
    instance: 'edge',
    write: (bytes) => {
      onWrite()
      text += Buffer.from(bytes).toString('latin1')
    },
    onLost: (lines, error) => lost.push([lines, error]),
  })
  const lines = () => {
    assert.match(text, /^[\n -~]*$/)
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
  }
  return { log, lines, lost }
}
