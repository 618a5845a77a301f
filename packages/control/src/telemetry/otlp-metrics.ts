/**
 * Samples from OTLP, named and shaped as Prometheus would have them: `http.server.request.duration` in seconds is
 * `http_server_request_duration_seconds`, a sum that only grows ends in `_total`, a histogram is its buckets, sum and count.
 *
 * Sums and histograms may tell everything since a beginning (*cumulative*) or what came since they told last (*delta*); of the latter the
 * store is told the increase.
 *
 * @source https://github.com/open-telemetry/opentelemetry-proto/blob/v1.5.0/opentelemetry/proto/metrics/v1/metrics.proto
 * @source https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
 * @module
 */
import { type OtlpBody, readOtlpRequest } from './otlp-body.ts'
import {
  attributesOf,
  listOf,
  microsOf,
  numberOf,
  type OtlpRows,
  objectOf,
  sourceOf,
  textOf,
} from './otlp-values.ts'
import type { StoredSample } from './rows.ts'

type Loose = Readonly<Record<string, unknown>>

const DELTA = 1
const BUCKETS_MAX = 200
const UNITS: Readonly<Record<string, string>> = {
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  '%': 'percent',
}

/** What the points of one metric share. */
interface Metric {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly isDelta: boolean
}

/**
 * Reads a body of `/v1/metrics`. A point without a time or a value is rejected; one of a histogram counts as one.
 *
 * @throws FlotillaError as `readOtlpRequest` says.
 */
export async function readOtlpMetrics(body: OtlpBody): Promise<OtlpRows<StoredSample>> {
  const request = objectOf(await readOtlpRequest('metrics', body))
  const rows: StoredSample[] = []
  let rejected = 0
  for (const { resource, scopeMetrics } of listOf(request['resourceMetrics'])) {
    const { service, instance } = sourceOf(resource)
    for (const { metrics } of listOf(scopeMetrics)) {
      for (const metric of listOf(metrics)) {
        for (const samples of pointsOf(metric, { service, instance })) {
          if (samples === undefined) rejected++
          else rows.push(...samples)
        }
      }
    }
  }
  return { rows, rejected }
}

/** The samples of each point; undefined for one that is none. */
function pointsOf(
  metric: Loose,
  labels: Readonly<Record<string, string>>,
): (readonly StoredSample[] | undefined)[] {
  const { gauge, sum, histogram, exponentialHistogram, summary } = metric
  const data = objectOf(gauge ?? sum ?? histogram ?? exponentialHistogram ?? summary)
  const name = nameOf(textOf(metric['name']), textOf(metric['unit']))
  const its: Metric = { name, labels, isDelta: data['aggregationTemporality'] === DELTA }
  return listOf(data['dataPoints']).map((point) => {
    const timeUs = microsOf(point['timeUnixNano'])
    if (timeUs === undefined || name === '') return undefined
    const maker = new PointSamples(its, point, timeUs / 1_000)
    if (gauge !== undefined) return maker.number('gauge')
    if (sum !== undefined) return maker.number(data['isMonotonic'] === true ? 'counter' : 'gauge')
    if (histogram !== undefined) return maker.histogram()
    if (exponentialHistogram !== undefined) return maker.exponentialHistogram()
    return maker.summary()
  })
}

/** What one point becomes. */
class PointSamples {
  readonly #metric: Metric
  readonly #point: Loose
  readonly #timeMs: number
  readonly #sinceMs: number | undefined
  readonly #labels: Readonly<Record<string, string>>

  constructor(metric: Metric, point: Loose, timeMs: number) {
    this.#metric = metric
    this.#point = point
    this.#timeMs = timeMs
    const sinceUs = microsOf(point['startTimeUnixNano'])
    this.#sinceMs = sinceUs === undefined ? undefined : sinceUs / 1_000
    this.#labels = { ...labelsOf(point['attributes']), ...metric.labels }
  }

  number(type: StoredSample['type']): readonly StoredSample[] | undefined {
    const value = numberOf(this.#point['asDouble'] ?? this.#point['asInt'])
    const { name } = this.#metric
    if (!Number.isFinite(value)) return undefined
    return [
      this.#sample(type === 'counter' && !name.endsWith('_total') ? `${name}_total` : name, value, type),
    ]
  }

  histogram(): readonly StoredSample[] | undefined {
    const counts = numbersOf(this.#point['bucketCounts'])
    const bounds = numbersOf(this.#point['explicitBounds'])
    const isWhole = counts.length === 0 || counts.length === bounds.length + 1
    if (!isWhole || bounds.length > BUCKETS_MAX || ![...counts, ...bounds].every(Number.isFinite))
      return undefined
    return this.#buckets(bounds.map((bound, index) => [bound, counts[index] as number]))
  }

  /** Its buckets grow by a factor of 2^(2^-scale); the store has them by their bounds. */
  exponentialHistogram(): readonly StoredSample[] | undefined {
    const scale = numberOf(this.#point['scale'] ?? 0)
    const zeroCount = numberOf(this.#point['zeroCount'] ?? 0)
    const { offset = 0, bucketCounts } = objectOf(this.#point['positive'])
    const negative = sumOf(numbersOf(objectOf(this.#point['negative'])['bucketCounts']))
    const counts = numbersOf(bucketCounts)
    if (counts.length > BUCKETS_MAX || ![scale, zeroCount, negative, ...counts].every(Number.isFinite))
      return undefined
    const buckets = counts.map((count, index): [number, number] => [
      2 ** ((numberOf(offset) + index + 1) * 2 ** -scale),
      count,
    ])
    return this.#buckets([[0, zeroCount + negative], ...buckets])
  }

  summary(): readonly StoredSample[] | undefined {
    const { name } = this.#metric
    const quantiles = listOf(this.#point['quantileValues']).slice(0, BUCKETS_MAX)
    const values = quantiles.map(({ quantile = 0, value = 0 }) =>
      this.#sample(name, numberOf(value), 'gauge', { quantile: String(numberOf(quantile)) }),
    )
    const all = [...values, ...this.#sumAndCount()]
    return all.every(({ value }) => Number.isFinite(value)) ? all : undefined
  }

  /** `counts` are of each bucket alone; the last one, without a bound, is what remains of all. */
  #buckets(
    counts: readonly (readonly [bound: number, count: number])[],
  ): readonly StoredSample[] | undefined {
    const name = `${this.#metric.name}_bucket`
    let upTo = 0
    const buckets = counts.map(([bound, count]) => {
      upTo += count
      return this.#sample(name, upTo, 'counter', { le: String(bound) })
    })
    const sumAndCount = this.#sumAndCount()
    const count = sumAndCount.at(-1)?.value ?? Number.NaN
    const all = [...buckets, this.#sample(name, count, 'counter', { le: '+Inf' }), ...sumAndCount]
    return all.every(({ value }) => Number.isFinite(value)) ? all : undefined
  }

  #sumAndCount(): readonly StoredSample[] {
    const { name } = this.#metric
    const { sum, count = 0 } = this.#point
    const sums = sum === undefined ? [] : [this.#sample(`${name}_sum`, numberOf(sum), 'counter')]
    return [...sums, this.#sample(`${name}_count`, numberOf(count), 'counter')]
  }

  #sample(
    name: string,
    value: number,
    type: StoredSample['type'],
    more?: Readonly<Record<string, string>>,
  ): StoredSample {
    return {
      timeMs: this.#timeMs,
      name,
      labels: more === undefined ? this.#labels : { ...this.#labels, ...more },
      type,
      value,
      sinceMs: this.#sinceMs,
      increase: type === 'counter' && this.#metric.isDelta ? value : undefined,
    }
  }
}

function nameOf(name: string, unit: string): string {
  const base = name.replaceAll(/[^a-zA-Z0-9_:]/g, '_').slice(0, 180)
  const word = UNITS[unit]
  return base === '' || word === undefined || base.includes(word) ? base : `${base}_${word}`
}

function labelsOf(attributes: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributesOf(attributes) ?? {}).map(([name, value]) => [
      name.replaceAll(/[^a-zA-Z0-9_]/g, '_'),
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )
}

function numbersOf(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.map(numberOf) : []
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}
