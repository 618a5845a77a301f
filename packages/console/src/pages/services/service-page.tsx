/**
 * One service: how it does, its operations, where it runs, whom it needs, what it promises.
 *
 * @module
 */
import type { ServiceDetail } from '@flotilla/control/shapes'
import type { JSX } from 'preact'
import { DataTable } from '../../parts/data-table.tsx'
import { Mark } from '../../parts/marks.tsx'
import { Facts, PageHead, Panel, Tags } from '../../parts/panel.tsx'
import { Answer, Empty } from '../../parts/states.tsx'
import { useAsked } from '../../state/asked.ts'
import { hrefTo, rangeMs } from '../../state/place.ts'
import { errorsCell } from '../errors-cell.tsx'
import { EdgeTable } from '../map/map-list.tsx'
import { ProcessTable } from '../process-table.tsx'
import { redColumns } from '../red.ts'
import { RedCharts } from './red-charts.tsx'
import { ScaleForm } from './scale-form.tsx'

type Operation = ServiceDetail['operations'][number]

/** The page. */
export function ServicePage({ service }: { readonly service: string }): JSX.Element {
  const asked = useAsked('observe.service', { service, windowMs: rangeMs.value })
  return (
    <div class="stack">
      {asked.data === undefined && <PageHead title={service} about="Service" />}
      <Answer asked={asked}>{(detail) => <Head detail={detail} />}</Answer>
      <RedCharts service={service} />
      {asked.data && <Details detail={asked.data} />}
    </div>
  )
}

function Head({ detail }: { readonly detail: ServiceDetail }): JSX.Element {
  const { name, summary, health, why, ready, wanted } = detail
  return (
    <>
      <PageHead title={name} about={summary}>
        <Mark tone={health} />
        <a class="button" href={hrefTo('/traces', { service: name })}>
          Traces
        </a>
        <a class="button" href={hrefTo('/traces', { service: name, minMs: '500' })}>
          Slow traces
        </a>
        <a class="button" href={hrefTo('/logs', { q: `service=${name}` })}>
          Logs
        </a>
      </PageHead>
      {why.length > 0 && (
        <ul class="problems">
          {why.map((reason) => (
            <li key={reason} class={`problem tone-line-${health}`}>
              <Mark tone={health} word={reason} />
            </li>
          ))}
        </ul>
      )}
      <Facts
        items={[
          ['ready', `${ready} of ${wanted}`],
          ['processes', detail.hosts.join(', ')],
        ]}
      />
    </>
  )
}

function Details({ detail }: { readonly detail: ServiceDetail }): JSX.Element {
  const { name, operations, edges, publishes, follows, wanted } = detail
  const processes = useAsked('control.processes', {})
  const own = processes.data?.items.filter(({ services }) => services.includes(name)) ?? []
  return (
    <>
      <Panel title="Operations" isBare>
        <DataTable
          caption={`Operations of ${name}`}
          rows={operations}
          keyOf={({ operation }) => operation}
          orderParam="operations"
          empty={<Empty title="No operations" />}
          columns={[
            {
              title: 'operation',
              as: 'head',
              by: ({ operation }) => operation,
              cell: ({ operation, summary }) => (
                <>
                  <a href={hrefTo('/traces', { service: name, name: operation })}>{operation}</a>
                  <div class="muted small">{summary}</div>
                </>
              ),
            },
            ...redColumns<Operation>(errorsCell),
            { title: 'kind', by: ({ kind }) => kind, cell: ({ kind }) => kind },
            { title: 'access', as: 'clip', cell: ({ access }) => access },
            { title: 'HTTP', as: 'nowrap', cell: ({ http }) => <span class="mono">{http ?? '–'}</span> },
          ]}
        />
      </Panel>
      <Panel title="Instances" isBare side={<ScaleForm service={name} wanted={wanted} />}>
        <ProcessTable processes={own} orderParam="instances" />
      </Panel>
      <Panel title="Dependencies" isBare side={<a href={hrefTo('/map', { node: name })}>on the map</a>}>
        <EdgeTable edges={edges} />
      </Panel>
      {publishes.length + follows.length > 0 && (
        <Panel title="Events">
          <Facts
            items={[
              ['publishes', publishes.length > 0 ? <Tags key="publishes" items={publishes} /> : 'nothing'],
              ['follows', follows.length > 0 ? <Tags key="follows" items={follows} /> : 'nothing'],
            ]}
          />
        </Panel>
      )}
    </>
  )
}
