/**
 * Everything at a glance: what is wrong and where to see its cause, figures of the whole, the services from worst to best, the business.
 *
 * @module
 */
import type { ForeignService, Overview, Problem, SagaCounts, ServiceSummary } from '@flotilla/control/shapes'
import type { JSX } from 'preact'
import { parseTimeMs } from '../browser/browser.ts'
import { bytes, count, duration, plural, rate, share, short } from '../format/figures.ts'
import { ago, clockTime } from '../format/times.ts'
import { DataTable } from '../parts/data-table.tsx'
import { Mark, type Tone } from '../parts/marks.tsx'
import { Facts, type FigureProps, Figures, PageHead, Panel } from '../parts/panel.tsx'
import { Spark } from '../parts/spark.tsx'
import { Empty, Failed, Waiting } from '../parts/states.tsx'
import { overview, overviewError } from '../state/live.ts'
import { hrefTo, presentMs } from '../state/place.ts'
import { errorsCell } from './errors-cell.tsx'
import { errorTone, redColumns } from './red.ts'
import { ServiceLink } from './service-link.tsx'

/** The page. */
export function OverviewPage(): JSX.Element {
  const data = overview.value
  const error = overviewError.value
  return (
    <div class="stack">
      {data === undefined && <PageHead title="Overview" />}
      {error && <Failed error={error} />}
      {data ? <Everything data={data} /> : !error && <Waiting />}
    </div>
  )
}

function Everything({ data }: { readonly data: Overview }): JSX.Element {
  const { problems, services, totals, business, sagas } = data
  return (
    <>
      <PageHead title={<Verdict problems={problems} />} about={`as of ${clockTime(parseTimeMs(data.at))}`} />
      {problems.length > 0 && (
        <ul class="problems" aria-label="What is wrong">
          {problems.map((problem) => (
            <ProblemItem key={`${problem.title}${problem.service}`} problem={problem} />
          ))}
        </ul>
      )}
      <Figures items={figuresOf(totals, services)} />
      {business.length > 0 && (
        <Panel title="Business">
          <Figures items={business.map(businessFigure)} />
        </Panel>
      )}
      {sagas.length > 0 && (
        <Panel title="Sagas under way" side={<a href={hrefTo('/sagas')}>All sagas</a>}>
          <Figures items={sagas.map(sagaFigure)} />
        </Panel>
      )}
      <Panel
        title="Services"
        isBare
        side={<span class="muted small">over the last minute, the worst first</span>}
      >
        <ServicesTable services={services} foreign={data.foreign} />
      </Panel>
      <Facts
        items={[
          ['app', data.app],
          ['placement', data.placement],
          [
            'gateway',
            <a key="gateway" href={data.gateway}>
              {data.gateway}
            </a>,
          ],
          ['started', ago(parseTimeMs(data.startedAt), presentMs.value)],
        ]}
      />
    </>
  )
}

function Verdict({ problems }: { readonly problems: readonly Problem[] }): JSX.Element {
  if (problems.length === 0) return <Mark tone="ok" word="All well" />
  const tone = problems.some(({ severity }) => severity === 'critical') ? 'bad' : 'warning'
  return (
    <Mark
      tone={tone}
      word={problems.length === 1 ? '1 thing is wrong' : `${problems.length} things are wrong`}
    />
  )
}

function ProblemItem({ problem }: { readonly problem: Problem }): JSX.Element {
  const { severity, title, detail, service, traceId, sinceMs } = problem
  const cause =
    traceId !== undefined
      ? hrefTo(`/traces/${traceId}`)
      : service !== undefined
        ? hrefTo(`/services/${service}`)
        : hrefTo('/alerts')
  return (
    <li class={`problem tone-line-${severity}`}>
      <Mark tone={severity === 'critical' ? 'bad' : 'warning'} word={severity} />
      <div>
        <a class="problem-title" href={cause}>
          {title}
        </a>
        <p class="muted">{detail}</p>
        <span class="row small">
          {sinceMs !== undefined && <span class="muted">since {clockTime(sinceMs)}</span>}
          {service !== undefined && <a href={hrefTo(`/services/${service}`)}>service {service}</a>}
          {traceId !== undefined && <a href={hrefTo(`/traces/${traceId}`)}>a trace that shows it</a>}
          {service !== undefined && (
            <a href={hrefTo('/logs', { q: `service=${service} level>=warn` })}>its logs</a>
          )}
        </span>
      </div>
    </li>
  )
}

function figuresOf(totals: Overview['totals'], services: readonly ServiceSummary[]): FigureProps[] {
  const tone = errorTone(totals.errorShare)
  return [
    { label: 'Requests', value: rate(totals.rate), spark: addedUp(countedIn(services)) },
    { label: 'Errors', value: share(totals.errorShare), ...(tone ? { tone } : {}), note: 'of requests' },
    { label: 'p50', value: duration(totals.p50Ms), note: 'half are faster' },
    { label: 'p95', value: duration(totals.p95Ms), note: '19 of 20 are faster' },
    { label: 'p99', value: duration(totals.p99Ms), note: '99 of 100 are faster' },
    {
      label: 'Instances',
      value: `${totals.ready} of ${totals.instances}`,
      note: `ready, of ${plural(services.length, 'service')}`,
      ...(totals.ready < totals.instances ? { tone: 'warning' as const } : {}),
    },
  ]
}

/** The lines of what the totals count: what clients see, or without a gateway what all services do. */
function countedIn(services: readonly ServiceSummary[]): readonly (readonly number[])[] {
  const edge = services.filter(({ name }) => name === 'gateway')
  return (edge.length > 0 ? edge : services).map(({ spark }) => spark)
}

/** Lines added up point by point, aligned at their ends. */
function addedUp(lines: readonly (readonly number[])[]): number[] {
  const longest = Math.max(0, ...lines.map(({ length }) => length))
  return Array.from({ length: longest }, (_, index) =>
    lines.reduce((sum, line) => sum + (line[index - longest + line.length] ?? 0), 0),
  )
}

function businessFigure({ name, value, unit, spark }: Overview['business'][number]): FigureProps {
  // Several currencies are several figures of one name.
  const [, currency] = /^([A-Z]{3})\b/.exec(unit) ?? []
  const label = currency === undefined ? name : `${name}, ${currency}`
  return { label, ...inUnit(value, unit), spark }
}

function sagaFigure({ saga, ready, running, waiting, parked }: SagaCounts): FigureProps {
  const parts = [
    [running, 'running'],
    [waiting, 'waiting'],
    [ready, 'in line'],
    [parked, 'parked'],
  ] as const
  const words = parts.flatMap(([number, word]) => (number > 0 ? [`${count(number)} ${word}`] : []))
  return {
    label: saga,
    value: count(ready + running + waiting + parked),
    note: words.join(', ') || 'none',
    ...(parked > 0 ? { tone: 'bad' as const } : {}),
  }
}

/** A unit that is a word stands below its number: it may be long. */
function inUnit(value: number, unit: string): Pick<FigureProps, 'value' | 'note'> {
  if (unit === 'ms') return { value: duration(value) }
  if (unit === 'bytes') return { value: bytes(value) }
  if (unit === 'share' || unit === 'ratio') return { value: share(value) }
  const number = Number.isInteger(value) ? count(value) : short(value)
  return unit === '' ? { value: number } : { value: number, note: unit }
}

const BADNESS: Readonly<Record<Tone, number>> = { bad: 0, warning: 1, ok: 2, idle: 3 }

/** A row: one of ours, or a program of others, of which nobody here knows how many there are or should be. */
type ServiceRow = ServiceSummary & { readonly isForeign: boolean }

function foreignRow(service: ForeignService): ServiceRow {
  return { ...service, isForeign: true, health: 'idle', why: [], hosts: [], ready: 0, wanted: 0, spark: [] }
}

/** Services at a glance, the worst first; those of others last. */
export function ServicesTable({
  services,
  foreign,
}: {
  readonly services: readonly ServiceSummary[]
  readonly foreign: readonly ForeignService[]
}): JSX.Element {
  const ours = services.map((service): ServiceRow => ({ ...service, isForeign: false }))
  ours.sort((a, b) => BADNESS[a.health] - BADNESS[b.health] || b.errorShare - a.errorShare || b.rate - a.rate)
  const rows = [...ours, ...foreign.map(foreignRow)]
  return (
    <DataTable
      caption="Services"
      rows={rows}
      keyOf={({ name }) => name}
      orderParam="order"
      empty={<Empty title="No services">Start the system: npm start</Empty>}
      columns={[
        {
          title: 'service',
          as: 'head',
          by: ({ name }) => name,
          cell: ({ name }) => <ServiceLink service={name} />,
        },
        {
          title: 'health',
          by: ({ health }) => BADNESS[health],
          as: 'nowrap',
          cell: ({ health, isForeign }) =>
            isForeign ? <Mark tone="idle" word="foreign" /> : <Mark tone={health} />,
        },
        ...redColumns<ServiceRow>(errorsCell),
        { title: 'trend', cell: ({ spark }) => (spark.length > 1 ? <Spark values={spark} /> : '') },
        {
          title: 'ready',
          as: 'number',
          by: ({ ready, wanted }) => ready - wanted,
          cell: ({ ready, wanted, isForeign }) =>
            isForeign ? (
              '–'
            ) : ready < wanted ? (
              <Mark tone="warning" word={`${ready} of ${wanted}`} />
            ) : (
              `${ready} of ${wanted}`
            ),
        },
        {
          title: 'why',
          as: 'clip',
          cell: ({ why, isForeign }) =>
            isForeign ? 'not of this system: counted are the spans it sent' : why.join('; '),
        },
      ]}
    />
  )
}
