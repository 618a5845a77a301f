import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { isFlotillaError } from '@flotilla/core/error'
import type { StoredSample } from './rows.ts'
import { openTelemetryStore } from './telemetry-store.ts'

const nowMs = Date.now()

const counter = (timeMs: number, value: number, more: Partial<StoredSample> = {}): StoredSample => ({
  timeMs,
  name: 'calls_total',
  labels: { service: 'orders' },
  type: 'counter',
  value,
  ...more,
})

const isInvalid = (error: unknown): boolean => isFlotillaError(error) && error.code === 'invalid_argument'

describe('askSeries', () => {
  it('gives values, rates over restarts of what is counted, and quantiles', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-telemetry-'))
    const store = await openTelemetryStore({ folder, clock: systemClock, log: { warn() {} } })
    t.after(async () => {
      await store.close()
      rmSync(folder, { recursive: true })
    })
    const startMs = Math.floor(nowMs / 10_000) * 10_000 - 60_000
    const orders = [0, 10, 20, 5, 15].map((value, index) => counter(startMs + index * 5_000, value))
    const other = { labels: { service: 'payments', code: 'ok' } }
    const payments = [100, 101].map((value, index) => counter(startMs + index * 5_000, value, other))
    store.appendSamples([...orders, ...payments])
    const bucket = (le: string, value: number): StoredSample[] =>
      [0, value].map((each, index) =>
        counter(startMs + index * 5_000, each, {
          name: 'took_seconds_bucket',
          labels: { le, service: 'orders' },
        }),
      )
    store.appendSamples([...bucket('0.1', 50), ...bucket('0.2', 90), ...bucket('+Inf', 100)])
    await store.flush()
    const range = { fromMs: startMs, toMs: startMs + 30_000, stepMs: 10_000 }
    const of = (values: readonly number[]): (readonly number[])[] =>
      values.map((value, index) => [startMs + index * 10_000, value])
    const ask = async (query: object): Promise<unknown> =>
      (await store.series({ name: 'calls_total', ...range, as: 'rate', ...query })).series
    // 10 in the first step; 10, and 5 from nothing, in the second; 10 in the third.
    assert.deepEqual(await ask({ matchers: [{ label: 'service', is: '=', values: ['orders'] }] }), [
      { labels: { service: 'orders' }, points: of([1, 1.5, 1]) },
    ])
    assert.deepEqual(await ask({ by: [] }), [{ labels: {}, points: of([1.1, 1.5, 1]) }])
    assert.deepEqual(await ask({ matchers: [{ label: 'code', is: '!=', values: ['', 'ok'] }] }), [])
    assert.deepEqual(await ask({ as: 'value', by: ['service'] }), [
      { labels: { service: 'orders' }, points: of([10, 5, 15]) },
      { labels: { service: 'payments' }, points: of([101]) },
    ])
    assert.deepEqual(await ask({ as: 'value', by: [], merge: 'max' }), [
      { labels: {}, points: of([101, 5, 15]) },
    ])
    assert.deepEqual(await ask({ name: 'took_seconds', as: 'quantile', quantile: 0.5, by: ['service'] }), [
      { labels: { service: 'orders' }, points: of([0.1]) },
    ])
    assert.deepEqual(
      store.metrics().map(({ name, seriesCount }) => [name, seriesCount]),
      [
        ['calls_total', 2],
        ['took_seconds_bucket', 3],
      ],
    )
    assert.deepEqual(store.labels('calls_total'), { service: ['orders', 'payments'], code: ['ok'] })
    await assert.rejects(store.series({ ...range, stepMs: 1, name: 'x', as: 'value', fromMs: 0 }), isInvalid)
  })
})
