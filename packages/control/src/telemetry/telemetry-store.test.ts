import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { isFlotillaError } from '@flotilla/core/error'
import fc from 'fast-check'
import { type LineLevel, lineLevels, type StoredLine, type StoredSample, type StoredSpan } from './rows.ts'
import { openTelemetryStore, type TelemetryStore } from './telemetry-store.ts'
import type { TelemetryLimits } from './telemetry-writer.ts'

interface Test {
  after(cleanUp: () => Promise<void> | void): void
}

function makeFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-telemetry-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function openStore(
  t: Test,
  limits: TelemetryLimits = {},
  folder = makeFolder(t),
): Promise<TelemetryStore> {
  const warnings: string[] = []
  const log = { warn: (message: string) => warnings.push(message) }
  const store = await openTelemetryStore({ folder, clock: systemClock, log, ...limits })
  t.after(async () => {
    await store.close()
    assert.deepEqual(warnings, [])
  })
  return store
}

const nowMs = Date.now()
const all = { fromMs: nowMs - 3_600_000, toMs: nowMs + 60_000 }

const line = (index: number, more: Partial<StoredLine> = {}): StoredLine => ({
  timeUs: nowMs * 1_000 - index,
  level: 'info',
  service: 'orders',
  instance: 'orders-1',
  message: `line ${index}`,
  ...more,
})

const span = (index: number, more: Partial<StoredSpan> = {}): StoredSpan => ({
  traceId: index.toString(16).padStart(32, '0'),
  spanId: index.toString(16).padStart(16, '0'),
  name: 'orders.place',
  kind: 'server',
  service: 'orders',
  instance: 'orders-1',
  startUs: nowMs * 1_000 - index * 1_000,
  durationUs: 1_000,
  status: 'ok',
  ...more,
})

const counter = (timeMs: number, value: number, more: Partial<StoredSample> = {}): StoredSample => ({
  timeMs,
  name: 'calls_total',
  labels: { service: 'orders' },
  type: 'counter',
  value,
  ...more,
})

const isInvalid = (error: unknown): boolean => isFlotillaError(error) && error.code === 'invalid_argument'

/** What `flatten`, search text and SQL do, said as plainly as possible. */
function fits(one: StoredLine, term: string): boolean {
  const fields = Object.entries(one.fields ?? {}).map(([name, value]) => [
    name.toLowerCase(),
    String(value).toLowerCase(),
  ])
  const [, field, operator, value] = /^(\w+)(!=|=|>=)(.+)$/.exec(term) ?? []
  if (field === undefined) {
    const word = term.toLowerCase()
    return (
      one.message.toLowerCase().includes(word) ||
      [one.service, one.instance].includes(word) ||
      fields.some((pair) => pair.join('=').includes(word))
    )
  }
  if (operator === '>=') return lineLevels.indexOf(one.level) >= lineLevels.indexOf(value as LineLevel)
  const isEqual =
    field === 'service'
      ? one.service === value
      : fields.some(([name, its]) => name === field.toLowerCase() && its === value?.toLowerCase())
  return isEqual === (operator === '=')
}

describe('openTelemetryStore', () => {
  it('searchLogs finds exactly the lines that a plain filter would, newest first, page by page', async (t) => {
    const store = await openStore(t)
    const words = ['order', 'Payment', 'o-17', 'o-1', 'declined']
    const anyLine = fc.record({
      level: fc.constantFrom(...lineLevels),
      service: fc.constantFrom('orders', 'payments'),
      message: fc.array(fc.constantFrom(...words), { maxLength: 3 }).map((some) => some.join(' ')),
      fields: fc.dictionary(fc.constantFrom('orderId', 'status'), fc.constantFrom('o-1', 'o-17', 500, 'O-1')),
    })
    const anyTerm = fc.constantFrom(
      ...['order', 'payment', 'o-1', 'ORDERS', 'status=500', 'orderId=o-1', 'orderid!=O-17', 'level>=warn'],
      ...['service=payments', 'service!=payments', 'status', 'rid=o'],
    )
    let begun = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyLine, { maxLength: 25, size: 'max' }),
        fc.array(anyTerm, { maxLength: 2 }),
        fc.integer({ min: 1, max: 9 }),
        async (some, terms, limit) => {
          // Each run has a second of its own.
          const fromMs = nowMs - 3_000_000 + begun++ * 1_000
          const lines = some.map((one, index) =>
            line(0, { ...one, timeUs: fromMs * 1_000 + Math.floor(index / 2) * 7 }),
          )
          store.appendLogs(lines)
          await store.flush()
          const expected = lines.filter((one) => terms.every((term) => fits(one, term))).reverse()
          const found: Partial<StoredLine>[] = []
          let cursor: string | undefined
          do {
            const range = { fromMs, toMs: fromMs + 1_000 }
            const answer = await store.searchLogs({ query: terms.join(' '), ...range, limit, cursor })
            assert.ok(answer.lines.length <= limit)
            found.push(...answer.lines)
            cursor = answer.cursor
          } while (cursor !== undefined)
          assert.deepEqual(
            found.map(({ timeUs, message, fields }) => ({ timeUs, message, fields: { ...fields } })),
            expected.map(({ timeUs, message, fields }) => ({ timeUs, message, fields: { ...fields } })),
          )
          const range = { fromMs, toMs: fromMs + 1_000 }
          const histogram = await store.logHistogram({ query: terms.join(' '), ...range, stepMs: 10 })
          const counted = histogram.buckets.flatMap(({ counts }) => Object.values(counts))
          assert.equal(
            counted.reduce((sum, count) => sum + count, 0),
            expected.length,
          )
        },
      ),
      { numRuns: 60 },
    )
  })

  it('searchLogs finds phrases, nested fields, traces, and lines that arrived after another', async (t) => {
    const store = await openStore(t)
    const traceId = 'ab'.repeat(16)
    store.appendLogs([
      line(3, {
        message: 'stock "all" gone\nfor now',
        fields: { error: { code: 'internal', depth: [1, 2] } },
      }),
      line(2, { traceId, spanId: 'cd'.repeat(8) }),
    ])
    await store.flush()
    const newest = store.newestSeq
    store.appendLogs([line(1), line(4)])
    await store.flush()
    const find = async (query: string, more = {}): Promise<string[]> =>
      (await store.searchLogs({ query, ...all, ...more })).lines.map(({ message }) => message)
    const [stock] = await find('"\\"ALL\\" gone for"')
    assert.match(stock ?? '', /^stock/)
    assert.equal((await find('error.code=internal')).length, 1)
    assert.equal((await find('error.depth=[1,2]')).length, 1)
    assert.deepEqual(await find(traceId), ['line 2'])
    assert.deepEqual(await find(`trace=${traceId}`), ['line 2'])
    assert.deepEqual(await find(`trace!=${traceId}`), ['line 1', stock, 'line 4'])
    assert.deepEqual(await find('message="line 1"'), ['line 1'])
    for (const wrong of [{ limit: 501 }, { limit: 0 }, { cursor: '1' }, { toMs: 0 }, { query: 'level=loud' }])
      await assert.rejects(store.searchLogs({ query: '', ...all, ...wrong }), isInvalid)

    const after = async (query: string, afterSeq: number, limit: number): Promise<unknown[]> => {
      const { lines, seq, isMore } = await store.logsAfter({ query, afterSeq, limit })
      return [lines.map(({ message }) => message), seq - newest, isMore]
    }
    // By arrival, not by time; and the place goes on past lines that were not wanted.
    assert.deepEqual(await after('', newest, 5), [['line 1', 'line 4'], 2, false])
    assert.deepEqual(await after('', newest, 1), [['line 1'], 1, true])
    assert.deepEqual(await after('"line 1"', newest, 5), [['line 1'], 2, false])
    assert.deepEqual(await after('', newest + 2, 5), [[], 2, false])
    assert.deepEqual(await store.countLogsAfter({ query: '"line 4"', afterSeq: newest }), {
      count: 1,
      seq: newest + 2,
    })
    for (const wrong of [{ afterSeq: -1 }, { query: 'level=loud' }]) {
      const query = { query: '', afterSeq: newest + 2, limit: 5, ...wrong }
      await assert.rejects(store.logsAfter(query), isInvalid)
      await assert.rejects(store.countLogsAfter(query), isInvalid)
    }
  })

  it('findTraces finds traces by what one of their spans is, and trace gives all of them', async (t) => {
    const store = await openStore(t)
    const slow = span(1, {
      durationUs: 700_000,
      attributes: { http: { method: 'POST' }, 'http.status': 200 },
    })
    const failed = span(2, {
      traceId: slow.traceId,
      parentId: slow.spanId,
      service: 'payments',
      name: 'payments.authorise',
      status: 'unavailable',
      startUs: slow.startUs + 10,
      events: [{ name: 'retry', timeUs: slow.startUs + 20, attributes: { attempt: 2 } }],
      resource: { 'host.name': 'h1' },
    })
    store.appendSpans([slow, failed, ...Array.from({ length: 60 }, (_, index) => span(index + 10))])
    await store.flush()
    const find = async (query: object): Promise<readonly string[]> =>
      (await store.findTraces({ ...all, ...query })).traces.map(({ traceId }) => traceId)
    for (const query of [
      { service: 'payments' },
      { service: 'payments', name: 'payments.authorise', isFailed: true },
      { name: 'S.Auth' },
      { isFailed: true },
      { durationMsMin: 500 },
      { durationMsMin: 700, durationMsMax: 700 },
      { attributes: { 'http.method': 'POST', 'http.status': '200' } },
    ])
      assert.deepEqual(await find(query), [slow.traceId], JSON.stringify(query))
    // All must be true of one span.
    assert.deepEqual(await find({ service: 'payments', durationMsMin: 500 }), [])
    assert.deepEqual(await find({ attributes: { 'http.method': 'GET' } }), [])
    assert.equal((await find({ durationMsMax: 600 })).length, 50)
    assert.deepEqual((await store.findTraces({ ...all, isFailed: true })).traces, [
      {
        traceId: slow.traceId,
        name: 'orders.place',
        service: 'orders',
        startUs: slow.startUs,
        durationUs: 700_000,
        spanCount: 2,
        failedCount: 1,
        services: ['orders', 'payments'],
      },
    ])
    const { spans, isTruncated } = await store.trace(slow.traceId)
    const none = { parentId: undefined, events: undefined, resource: undefined }
    assert.deepEqual(spans, [
      { ...none, ...slow, attributes: { 'http.method': 'POST', 'http.status': 200 } },
      { attributes: undefined, ...failed },
    ])
    assert.equal(isTruncated, false)
    assert.deepEqual((await store.trace('f'.repeat(32))).spans, [])
    await assert.rejects(store.trace('x'), isInvalid)
    await assert.rejects(store.findTraces({ ...all, cursor: "1'" }), isInvalid)
  })

  it('findTraces finds every trace once, newest first, page by page', async (t) => {
    const store = await openStore(t)
    // Some begin in the same microsecond.
    const spans = Array.from({ length: 100 }, (_, index) =>
      span(index + 1, { startUs: nowMs * 1_000 - Math.floor(index / 5) * 1_000 }),
    )
    store.appendSpans(spans)
    await store.flush()
    const found: string[] = []
    let cursor: string | undefined
    do {
      const answer = await store.findTraces({ ...all, limit: 7, cursor })
      found.push(...answer.traces.map(({ traceId }) => traceId))
      cursor = answer.cursor
    } while (cursor !== undefined)
    assert.deepEqual(
      found,
      spans.map(({ traceId }) => traceId),
    )
  })

  it('exemplars lead to the slowest span of each band of durations', async (t) => {
    const store = await openStore(t)
    const durationsMs = [5, 90, 120, 400, 450, 900]
    const startUs = nowMs * 1_000
    store.appendSpans(durationsMs.map((ms, index) => span(index + 1, { startUs, durationUs: ms * 1_000 })))
    await store.flush()
    const { exemplars } = await store.exemplars({ ...all, stepMs: 3_660_000, boundsMs: [100, 500] })
    assert.deepEqual(
      exemplars.map(({ band, durationUs }) => [band, durationUs / 1_000]),
      [
        [0, 90],
        [1, 450],
        [2, 900],
      ],
    )
    assert.equal(exemplars[0]?.traceId, span(2).traceId)
  })

  it('opens again with all that was written, and goes on counting', async (t) => {
    const folder = makeFolder(t)
    const clock = systemClock
    const log = { warn() {} }
    const first = await openTelemetryStore({ folder, clock, log })
    first.appendLogs([line(1)])
    first.appendSpans([span(1)])
    first.appendSamples([counter(nowMs - 10_000, 40)])
    await first.close()
    const store = await openStore(t, {}, folder)
    store.appendLogs([line(2)])
    store.appendSamples([counter(nowMs, 50)])
    await store.flush()
    const { lines } = await store.searchLogs({ query: '', ...all })
    assert.deepEqual(
      lines.map(({ message, seq }) => [message, seq]),
      [
        ['line 1', 1],
        ['line 2', 2],
      ],
    )
    assert.equal((await store.trace(span(1).traceId)).spans.length, 1)
    const { series } = await store.series({
      name: 'calls_total',
      as: 'rate',
      by: [],
      ...all,
      stepMs: 3_660_000,
    })
    assert.equal(series.length, 1)
    assert.ok(Math.abs((series[0]?.points.reduce((sum, [, rate]) => sum + rate, 0) ?? 0) * 3_660 - 10) < 1e-9)
  })

  it('drops the oldest that wait when there are too many, and what is far off in time, and counts them', async (t) => {
    const store = await openStore(t, { waitingRowsMax: 10, seriesMax: 2 })
    store.appendLogs(Array.from({ length: 25 }, (_, index) => line(25 - index)))
    store.appendSpans([span(1, { startUs: 1 }), span(2, { startUs: (nowMs + 86_400_000) * 1_000 }), span(3)])
    store.appendSamples(['a', 'b', 'c'].map((service) => counter(nowMs, 1, { labels: { service } })))
    await store.flush()
    const { kinds, seriesCount } = await store.stats()
    const told = ({ rows, dropped }: { rows: number; dropped: number }): number[] => [rows, dropped]
    assert.deepEqual(
      [told(kinds.lines), told(kinds.spans), told(kinds.samples)],
      [
        [10, 15],
        [1, 2],
        [2, 1],
      ],
    )
    assert.equal(seriesCount, 2)
    const { lines } = await store.searchLogs({ query: '', ...all })
    assert.deepEqual(
      lines.map(({ message }) => message),
      Array.from({ length: 10 }, (_, index) => `line ${index + 1}`),
    )
  })
})
