/**
 * Any metric over time: filtered, grouped, as it is, per second, or a quantile of it.
 *
 * @module
 */
import type { JSX } from 'preact'
import { count, measured, rate } from '../../format/figures.ts'
import { type Line, lastOf, valuesOf } from '../../parts/chart-data.ts'
import type { Dot } from '../../parts/chart-options.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { formValues, Select, TextField } from '../../parts/inputs.tsx'
import { PageHead, Panel, Tags } from '../../parts/panel.tsx'
import { Answer, Empty } from '../../parts/states.tsx'
import { TimeChart } from '../../parts/time-chart.tsx'
import type { Api } from '../../state/api.ts'
import { useAsked } from '../../state/asked.ts'
import { hrefTo, place, range, setParams } from '../../state/place.ts'
import { linesOf, useSeries } from '../series.ts'

type Metric = Api['observe.metrics']['output']['items'][number]
type Ways = NonNullable<Api['observe.series']['input']['as']>

const LINES_MAX = 6
const SERIES_MAX = 100
const EXEMPLARS_MAX = 12
const QUANTILES = ['0.5', '0.9', '0.95', '0.99', '0.999']

/** The page. */
export function MetricsPage(): JSX.Element {
  const asked = useAsked('observe.metrics', {})
  return (
    <div class="stack">
      <PageHead title="Metrics" about="Choose one, then say what to filter and what to add up by." />
      <Answer asked={asked}>
        {({ items }) => {
          const metric = items.find(({ name }) => name === place.value.params['name'])
          return (
            <>
              <Chooser metrics={items} metric={metric} />
              {metric ? <Explorer key={metric.name} metric={metric} /> : <MetricTable metrics={items} />}
            </>
          )
        }}
      </Answer>
    </div>
  )
}

function Chooser({
  metrics,
  metric,
}: {
  readonly metrics: readonly Metric[]
  readonly metric: Metric | undefined
}): JSX.Element {
  const { as, quantile = '0.95', where, by, name } = place.value.params
  return (
    <form class="form" onSubmit={(event) => setParams(formValues(event))}>
      <TextField
        name="name"
        label="Metric"
        value={name}
        kind="wide"
        list={metrics.map((one) => one.name)}
        placeholder="flotilla_…"
      />
      <TextField
        name="where"
        label="Filter: label=value, label!=value"
        value={where}
        kind="wide"
        placeholder="service=orders|payments"
      />
      <TextField
        name="by"
        label="Add up by (* for all together)"
        value={by}
        list={['*', ...(metric?.labels ?? [])]}
      />
      {metric && (
        <Select
          label="As"
          options={waysOf(metric)}
          value={as ?? defaultWay(metric)}
          onChoose={(value) => setParams({ as: value })}
        />
      )}
      {metric && (as ?? defaultWay(metric)) === 'quantile' && (
        <Select
          label="Quantile"
          options={QUANTILES.map((one) => [one, one])}
          value={quantile}
          onChoose={(value) => setParams({ quantile: value })}
        />
      )}
      <button type="submit" class="button primary">
        Show
      </button>
      {name !== undefined && (
        <button
          type="button"
          class="button"
          onClick={() => setParams({ name: '', where: '', by: '', as: '', quantile: '' })}
        >
          All metrics
        </button>
      )}
    </form>
  )
}

function waysOf({ kind }: Metric): readonly (readonly [Ways, string])[] {
  if (kind === 'histogram')
    return [
      ['quantile', 'quantile'],
      ['rate', 'observations per second'],
    ]
  return kind === 'counter'
    ? [
        ['rate', 'per second'],
        ['value', 'total'],
      ]
    : [['value', 'value']]
}

function defaultWay(metric: Metric): Ways {
  return waysOf(metric)[0]?.[0] ?? 'value'
}

function Explorer({ metric }: { readonly metric: Metric }): JSX.Element {
  const { where, by, as, quantile = '0.95' } = place.value.params
  const way = waysOf(metric).find(([one]) => one === as)?.[0] ?? defaultWay(metric)
  const asked = useSeries({
    name: metric.name,
    as: way,
    ...(where === undefined ? {} : { where }),
    ...(by === undefined ? {} : { by: by === '*' ? '' : by }),
    ...(way === 'quantile' ? { quantile: Number(quantile) } : {}),
  })
  const format = (value: number): string => (way === 'rate' ? rate(value) : measured(metric.name, value))
  return (
    <Panel title={metric.name}>
      <Answer asked={asked}>
        {({ items, exemplars }) =>
          items.length === 0 ? (
            <Empty title="No series">The filter leaves none, or nothing was measured in this time.</Empty>
          ) : (
            <div class="stack">
              <TimeChart
                title={metric.name}
                lines={linesOf(items, LINES_MAX)}
                format={format}
                range={range.value}
                dots={exemplars}
                heightPx={280}
              />
              {items.length > LINES_MAX && (
                <p class="muted small">
                  The {LINES_MAX} highest of {count(items.length)} are drawn: filter, or add up by fewer
                  labels.
                </p>
              )}
              <SeriesTable lines={linesOf(items, SERIES_MAX)} format={format} />
              <Exemplars exemplars={exemplars} format={(value) => measured(metric.name, value)} />
            </div>
          )
        }
      </Answer>
    </Panel>
  )
}

function SeriesTable({
  lines,
  format,
}: {
  readonly lines: readonly Line[]
  readonly format: (value: number) => string
}): JSX.Element {
  return (
    <DataTable
      caption="Series"
      rows={lines}
      keyOf={({ label }) => label}
      orderParam="series"
      columns={[
        { title: 'series', as: 'head', by: ({ label }) => label, cell: ({ label }) => label },
        {
          title: 'last',
          as: 'number',
          by: ({ points }) => lastOf(points) ?? 0,
          cell: ({ points }) => format(lastOf(points) ?? Number.NaN),
        },
        { title: 'lowest', as: 'number', cell: (line) => format(Math.min(...valuesOf(line))) },
        { title: 'highest', as: 'number', cell: (line) => format(Math.max(...valuesOf(line))) },
      ]}
    />
  )
}

function Exemplars({
  exemplars,
  format,
}: {
  readonly exemplars: readonly Dot[]
  readonly format: (value: number) => string
}): JSX.Element | null {
  if (exemplars.length === 0) return null
  return (
    <ul class="row small" aria-label="Traces that show points">
      {exemplars.slice(0, EXEMPLARS_MAX).map(({ traceId, value }) => (
        <li key={traceId}>
          <a class="plain" href={hrefTo(`/traces/${traceId}`)}>
            trace of {format(value)}
          </a>
        </li>
      ))}
    </ul>
  )
}

function MetricTable({ metrics }: { readonly metrics: readonly Metric[] }): JSX.Element {
  const wanted = (place.value.params['name'] ?? '').toLowerCase()
  const rows = metrics.filter(({ name }) => name.toLowerCase().includes(wanted))
  return (
    <Panel title={`All (${rows.length})`} isBare>
      <DataTable
        caption="Metrics"
        rows={rows}
        keyOf={({ name }) => name}
        orderParam="order"
        empty={<Empty title="No such metric">Clear the field above to see all.</Empty>}
        columns={[
          {
            title: 'metric',
            as: 'head',
            by: ({ name }) => name,
            cell: ({ name }) => <a href={hrefTo('/metrics', { name })}>{name}</a>,
          },
          { title: 'kind', by: ({ kind }) => kind, cell: ({ kind }) => kind },
          { title: 'labels', cell: ({ labels }) => <Tags items={labels} /> },
        ]}
      />
    </Panel>
  )
}
