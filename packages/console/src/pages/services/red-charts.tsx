/**
 * Rate, errors and durations of one service over the time looked at.
 *
 * @module
 */
import type { JSX } from 'preact'
import { duration, rate } from '../../format/figures.ts'
import type { Line } from '../../parts/chart-data.ts'
import type { Dot } from '../../parts/chart-options.ts'
import { Panel } from '../../parts/panel.tsx'
import { Failed } from '../../parts/states.tsx'
import { TimeChart } from '../../parts/time-chart.tsx'
import { range } from '../../state/place.ts'
import { sumOf, useSeries } from '../series.ts'

/** Answers that are the service's fault; with the others the caller asked for what there is not, or may not. */
const IS_FAILURE = /^(?:5\d\d|unknown|deadline_exceeded|unimplemented|internal|unavailable|data_loss)$/

/** Metrics and label of what came in; the gateway counts requests, services count calls. */
function namesOf(service: string): { calls: string; durations: string; where: string; code: string } {
  if (service === 'gateway') {
    return {
      calls: 'flotilla_gateway_requests_total',
      durations: 'flotilla_gateway_duration_seconds',
      where: '',
      code: 'status',
    }
  }
  return {
    calls: 'flotilla_server_calls_total',
    durations: 'flotilla_server_duration_seconds',
    where: `service=${service}`,
    code: 'code',
  }
}

/** The three charts. */
export function RedCharts({ service }: { readonly service: string }): JSX.Element {
  const { calls, durations, where, code } = namesOf(service)
  const part = where === '' ? {} : { where }
  const rates = useSeries({ name: calls, ...part, by: code, as: 'rate' })
  const quantile = { name: durations, ...part, by: '', as: 'quantile' as const }
  const p50 = useSeries({ ...quantile, quantile: 0.5 })
  const p95 = useSeries({ ...quantile, quantile: 0.95 })
  const p99 = useSeries({ ...quantile, quantile: 0.99 })
  const series = rates.data?.items ?? []
  const isError = (labels: Readonly<Record<string, string>>): boolean => IS_FAILURE.test(labels[code] ?? '')
  const seconds = (asked: typeof p50, label: string): Line => ({
    label,
    points: sumOf(asked.data?.items ?? []).map(([atMs, value]) => [
      atMs,
      value === null ? null : value * 1_000,
    ]),
  })
  return (
    <>
      {rates.error && <Failed error={rates.error} again={rates.again} />}
      <div class="columns thirds">
        <ChartPanel title="Rate" lines={[{ label: 'calls', points: sumOf(series) }]} format={rate} />
        <ChartPanel
          title="Errors"
          lines={[{ label: 'failed', points: sumOf(series, isError) }]}
          format={rate}
        />
        <ChartPanel
          title="Duration"
          lines={[seconds(p50, 'p50'), seconds(p95, 'p95'), seconds(p99, 'p99')]}
          format={duration}
          exemplars={p99.data?.exemplars ?? []}
        />
      </div>
    </>
  )
}

function ChartPanel({
  title,
  lines,
  format,
  exemplars = [],
}: {
  readonly title: string
  readonly lines: readonly Line[]
  readonly format: (value: number) => string
  readonly exemplars?: readonly Dot[]
}): JSX.Element {
  const dots = exemplars.map((one) => ({ ...one, value: one.value * 1_000 }))
  return (
    <Panel title={title} side={dots.length > 0 && <span class="muted small">◆ a trace: click it</span>}>
      <TimeChart title={title} lines={lines} format={format} range={range.value} dots={dots} heightPx={160} />
    </Panel>
  )
}
