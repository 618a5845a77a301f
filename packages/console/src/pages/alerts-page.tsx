/**
 * Alerts: firing, pending, and those that were resolved within a day.
 *
 * @module
 */
import type { AlertInfo } from '@flotilla/control/shapes'
import type { JSX } from 'preact'
import { parseTimeMs } from '../browser/browser.ts'
import { duration, measured, plural } from '../format/figures.ts'
import { wholeTime } from '../format/times.ts'
import { DataTable } from '../parts/data-table.tsx'
import { Mark, toneOf } from '../parts/marks.tsx'
import { PageHead, Panel, Tags } from '../parts/panel.tsx'
import { Answer, Empty } from '../parts/states.tsx'
import { useAsked } from '../state/asked.ts'
import { hrefTo, presentMs } from '../state/place.ts'

const STATES = [
  ['firing', 'Firing', 'Nothing is wrong that a rule knows of.'],
  ['pending', 'Pending', 'No rule is about to fire.'],
  ['resolved', 'Resolved', 'Nothing was resolved within a day.'],
] as const

/** The page. */
export function AlertsPage(): JSX.Element {
  const asked = useAsked('observe.alerts', {})
  return (
    <div class="stack">
      <PageHead title="Alerts" about="What rules found. Pending: true, but not for long enough to fire." />
      <Answer asked={asked}>
        {({ items }) => (
          <>
            {STATES.map(([state, title, none]) => {
              const its = items.filter((alert) => alert.state === state)
              return (
                <Panel
                  key={state}
                  title={title}
                  isBare
                  side={<span class="muted small">{plural(its.length, 'alert')}</span>}
                >
                  <AlertTable title={title} alerts={its} none={none} />
                </Panel>
              )
            })}
          </>
        )}
      </Answer>
    </div>
  )
}

function AlertTable({
  title,
  alerts,
  none,
}: {
  readonly title: string
  readonly alerts: readonly AlertInfo[]
  readonly none: string
}): JSX.Element {
  return (
    <DataTable
      caption={`${title} alerts`}
      rows={alerts}
      keyOf={({ rule, labels, since }) => `${rule}${JSON.stringify(labels)}${since}`}
      empty={<Empty title="None">{none}</Empty>}
      columns={[
        {
          title: 'alert',
          as: 'head',
          cell: ({ rule, summary, labels }) => (
            <>
              <AlertName rule={rule} service={labels['service']} />
              <div class="muted small">{summary}</div>
            </>
          ),
        },
        {
          title: 'severity',
          as: 'nowrap',
          cell: ({ severity, state }) => (
            <Mark
              tone={state === 'resolved' ? 'ok' : toneOf(severity)}
              word={state === 'resolved' ? `resolved, was ${severity}` : severity}
            />
          ),
        },
        { title: 'value', as: 'number', cell: ({ rule, value }) => measured(rule, value) },
        {
          title: 'about',
          cell: ({ labels }) => (
            <Tags items={Object.entries(labels).map(([name, value]) => `${name}=${value}`)} />
          ),
        },
        { title: 'since', as: 'nowrap', cell: ({ since }) => wholeTime(parseTimeMs(since)) },
        {
          title: 'for',
          as: 'number',
          cell: ({ since, until }) =>
            duration((until === undefined ? presentMs.value : parseTimeMs(until)) - parseTimeMs(since)),
        },
      ]}
    />
  )
}

function AlertName({
  rule,
  service,
}: {
  readonly rule: string
  readonly service: string | undefined
}): JSX.Element {
  return service === undefined ? <span>{rule}</span> : <a href={hrefTo(`/services/${service}`)}>{rule}</a>
}
