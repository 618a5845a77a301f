/**
 * What everything stands on: processes, databases, the telemetry that is kept, and what operators did.
 *
 * @module
 */
import type { JSX } from 'preact'
import { parseTimeMs } from '../browser/browser.ts'
import { bytes, count, rate, share } from '../format/figures.ts'
import { ago, wholeTime } from '../format/times.ts'
import { valueText } from '../format/values.ts'
import { DataTable } from '../parts/data-table.tsx'
import { Mark, toneOf } from '../parts/marks.tsx'
import { Figures, PageHead, Panel } from '../parts/panel.tsx'
import { Answer, Empty } from '../parts/states.tsx'
import type { Api } from '../state/api.ts'
import { useAsked } from '../state/asked.ts'
import { hrefTo, presentMs } from '../state/place.ts'
import { ProcessTable } from './process-table.tsx'

/** A database whose reads mostly miss its memory is too large for it. */
const HIT_SHARE_LOW = 0.9

/** The page. */
export function InfrastructurePage(): JSX.Element {
  const processes = useAsked('control.processes', {})
  const databases = useAsked('observe.databases', {})
  const store = useAsked('observe.store', {})
  const audit = useAsked('observe.audit', {})
  return (
    <div class="stack">
      <PageHead title="Infrastructure" about="Processes, databases, and what is kept of what they tell." />
      <Panel title="Processes" isBare>
        <Answer asked={processes}>
          {({ items }) => <ProcessTable processes={items} orderParam="processes" />}
        </Answer>
      </Panel>
      <Panel title="Databases" isBare>
        <Answer asked={databases}>{({ items }) => <Databases databases={items} />}</Answer>
      </Panel>
      <Panel title="Telemetry that is kept">
        <Answer asked={store}>{(state) => <Store state={state} />}</Answer>
      </Panel>
      <Panel title="What operators did" isBare>
        <Answer asked={audit}>{({ items }) => <AuditTable entries={items} />}</Answer>
      </Panel>
    </div>
  )
}

type Database = Api['observe.databases']['output']['items'][number]

function Databases({ databases }: { readonly databases: readonly Database[] }): JSX.Element {
  return (
    <DataTable
      caption="Databases of the services"
      rows={databases}
      keyOf={({ database }) => database}
      orderParam="databases"
      empty={<Empty title="No databases">No service has one.</Empty>}
      columns={[
        {
          title: 'service',
          as: 'head',
          by: ({ service }) => service,
          cell: ({ service }) => <a href={hrefTo(`/services/${service}`)}>{service}</a>,
        },
        {
          title: 'database',
          by: ({ database }) => database,
          cell: ({ database }) => <span class="mono">{database}</span>,
        },
        { title: 'size', as: 'number', by: (one) => one.bytes, cell: (one) => bytes(one.bytes) },
        {
          title: 'connections',
          as: 'number',
          by: ({ connections }) => connections,
          cell: ({ connections }) => connections,
        },
        {
          title: 'transactions',
          as: 'number',
          by: ({ transactionsPerSec }) => transactionsPerSec,
          cell: ({ transactionsPerSec }) => rate(transactionsPerSec),
        },
        {
          title: 'from memory',
          as: 'number',
          by: ({ hitShare }) => hitShare,
          cell: ({ hitShare }) =>
            hitShare < HIT_SHARE_LOW ? <Mark tone="warning" word={share(hitShare)} /> : share(hitShare),
        },
        {
          title: 'deadlocks',
          as: 'number',
          by: ({ deadlocks }) => deadlocks,
          cell: ({ deadlocks }) => (deadlocks > 0 ? <Mark tone="warning" word={count(deadlocks)} /> : 0),
        },
      ]}
    />
  )
}

function Store({ state }: { readonly state: Api['observe.store']['output'] }): JSX.Element {
  const dropped = Object.entries(state.dropped)
  const whole = dropped.reduce((sum, [, times]) => sum + times, 0)
  return (
    <Figures
      items={[
        {
          label: 'Size',
          value: bytes(state.bytes),
          note: `at most ${bytes(state.bytesMax)}, then the oldest goes`,
        },
        { label: 'Spans', value: count(state.spans) },
        { label: 'Log lines', value: count(state.logs) },
        { label: 'Series', value: count(state.series) },
        {
          label: 'Reaches back',
          value: state.oldest === null ? '–' : ago(parseTimeMs(state.oldest), presentMs.value),
        },
        {
          label: 'Dropped',
          value: count(whole),
          note:
            whole === 0
              ? 'nothing was lost'
              : dropped.map(([kind, times]) => `${kind} ${count(times)}`).join(', '),
          ...(whole > 0 ? { tone: 'warning' as const } : {}),
        },
      ]}
    />
  )
}

type Audit = Api['observe.audit']['output']['items'][number]

function AuditTable({ entries }: { readonly entries: readonly Audit[] }): JSX.Element {
  return (
    <DataTable
      caption="What operators did"
      rows={entries}
      keyOf={({ at, operation, outcome }) => `${at} ${operation} ${outcome}`}
      orderParam="audit"
      empty={<Empty title="Nothing yet">Acts of the console and the command line appear here.</Empty>}
      columns={[
        { title: 'at', as: 'nowrap', by: ({ at }) => at, cell: ({ at }) => wholeTime(parseTimeMs(at)) },
        { title: 'by', by: ({ by }) => by, cell: ({ by }) => by },
        {
          title: 'operation',
          as: 'nowrap',
          by: ({ operation }) => operation,
          cell: ({ operation }) => operation,
        },
        { title: 'input', as: 'clip', cell: ({ input }) => <span class="mono">{valueText(input)}</span> },
        {
          title: 'outcome',
          as: 'clip',
          cell: ({ outcome }) => <Mark tone={toneOf(outcome)} word={outcome} />,
        },
      ]}
    />
  )
}
