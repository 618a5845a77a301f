/**
 * Metrics as an OTLP export request, in its JSON form; all of them count from the start of the process.
 *
 * @source https://github.com/open-telemetry/opentelemetry-proto/blob/v1.5.0/opentelemetry/proto/metrics/v1/metrics.proto
 * @module
 */
import { BOUNDS_US, type Family, type Histogram, type Metrics } from './metrics.ts'
import { keyValues, nanos, type ResourceFacts, resourceOf } from './otlp-values.ts'

const CUMULATIVE = 2

/** The body of an export request; `service` is what the process is called as a whole. Times are in milliseconds since 1970. */
export function otlpMetrics(
  metrics: Metrics,
  service: string,
  facts: ResourceFacts,
  startMs: number,
  nowMs: number,
): string {
  const { counters, gauges, histograms } = metrics.read()
  const times = { startTimeUnixNano: nanos(startMs), timeUnixNano: nanos(nowMs) }
  const all = [
    ...counters.map((family) => ({
      ...about(family),
      sum: { aggregationTemporality: CUMULATIVE, isMonotonic: true, dataPoints: numbers(family, times) },
    })),
    ...gauges.map((family) => ({ ...about(family), gauge: { dataPoints: numbers(family, times) } })),
    ...histograms.map((family) => ({
      ...about(family),
      unit: family.unit === 'seconds' ? 's' : '',
      histogram: { aggregationTemporality: CUMULATIVE, dataPoints: distributions(family, times) },
    })),
  ]
  return JSON.stringify({
    resourceMetrics: [
      { resource: resourceOf(facts, service), scopeMetrics: [{ scope: { name: 'flotilla' }, metrics: all }] },
    ],
  })
}

interface Times {
  readonly startTimeUnixNano: string
  readonly timeUnixNano: string
}

function about({ name, help }: Family<unknown>) {
  return { name, description: help }
}

function numbers(family: Family<{ readonly value: number }>, times: Times) {
  return [...family.cells()].map(({ values, cell }) => {
    return { ...times, attributes: attributesOf(family, values), asDouble: cell.value }
  })
}

function distributions(family: Family<Histogram>, times: Times) {
  // Counted are microseconds, or single units.
  const scale = family.unit === 'seconds' ? 1e6 : 1
  return [...family.cells()].map(({ values, cell }) => {
    const upTo = [...cell.countsUpTo(BOUNDS_US), cell.count]
    return {
      ...times,
      attributes: attributesOf(family, values),
      count: String(cell.count),
      sum: cell.sumMs / (scale / 1000),
      explicitBounds: BOUNDS_US.map((bound) => bound / scale),
      bucketCounts: upTo.map((count, index) => String(count - (upTo[index - 1] ?? 0))),
    }
  })
}

function attributesOf({ labels }: Family<unknown>, values: readonly string[]) {
  return keyValues(Object.fromEntries(labels.map((label, index) => [label, values[index] ?? ''])))
}
