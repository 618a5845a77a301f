/**
 * Events: topics with who follows them and how far behind, and the events that failed.
 *
 * @module
 */
import type { JSX } from 'preact'
import { parseTimeMs } from '../browser/browser.ts'
import { count, duration, plural, rate } from '../format/figures.ts'
import { ago, wholeTime } from '../format/times.ts'
import { valueBlock } from '../format/values.ts'
import { DataTable } from '../parts/data-table.tsx'
import { ActButton } from '../parts/inputs.tsx'
import { Mark, toneOf } from '../parts/marks.tsx'
import { Code, Facts, PageHead, Panel } from '../parts/panel.tsx'
import { Answer, Empty, More } from '../parts/states.tsx'
import type { Act } from '../state/acts.ts'
import { type Api, ask } from '../state/api.ts'
import { useAsked } from '../state/asked.ts'
import { hrefTo, hrefWith, place, presentMs } from '../state/place.ts'

type Topic = Api['observe.topics']['output']['items'][number]
type Group = Topic['groups'][number]

/** A group this far behind is late. */
const LATE_MS = 10_000

/** The page. */
export function EventsPage(): JSX.Element {
  const topics = useAsked('observe.topics', {})
  const parked = useAsked('control.parked', {})
  const { topic, parked: shown } = place.value.params
  return (
    <div class="stack">
      <PageHead
        title="Events"
        about="What services publish, who follows it, and what could not be handled."
      />
      {shown !== undefined && <ParkedEvent id={shown} />}
      <Answer asked={parked}>{(answer) => <Failures {...answer} />}</Answer>
      <Panel title="Topics" isBare>
        <Answer asked={topics}>{({ items }) => <Topics topics={items} only={topic} />}</Answer>
      </Panel>
    </div>
  )
}

function Topics({
  topics,
  only,
}: {
  readonly topics: readonly Topic[]
  readonly only: string | undefined
}): JSX.Element {
  const rows = topics.filter(({ topic }) => only === undefined || topic === only)
  return (
    <>
      {only !== undefined && (
        <p class="quiet">
          Only {only}. <a href={hrefWith({ topic: undefined })}>Show all</a>
        </p>
      )}
      <DataTable
        caption="Topics and their followers"
        rows={rows}
        keyOf={({ topic }) => topic}
        orderParam="order"
        empty={<Empty title="No topics">No service has published an event yet.</Empty>}
        columns={[
          { title: 'topic', as: 'head', by: ({ topic }) => topic, cell: ({ topic }) => topic },
          {
            title: 'published by',
            by: ({ publisher }) => publisher,
            cell: ({ publisher }) => <a href={hrefTo(`/services/${publisher}`)}>{publisher}</a>,
          },
          { title: 'rate', as: 'number', by: (one) => one.rate, cell: (one) => rate(one.rate) },
          { title: 'followed by', cell: ({ groups }) => <Groups groups={groups} /> },
          {
            title: 'most behind',
            as: 'number',
            by: ({ groups }) => Math.max(0, ...groups.map(({ lagMs }) => lagMs)),
            cell: ({ groups }) => <Lag groups={groups} />,
          },
        ]}
      />
    </>
  )
}

function Groups({ groups }: { readonly groups: readonly Group[] }): JSX.Element {
  if (groups.length === 0) return <span class="muted">nobody</span>
  return (
    <ul>
      {groups.map(({ group, service, lag, lagMs, parked }) => (
        <li key={group} class="row">
          <a href={hrefTo(`/services/${service}`)}>{group}</a>
          {lag > 0 ? (
            <Mark
              tone={lagMs > LATE_MS ? 'bad' : 'ok'}
              word={`${plural(lag, 'event')} behind, ${duration(lagMs)}`}
            />
          ) : (
            <span class="muted small">up to date</span>
          )}
          {parked > 0 && <Mark tone="bad" word={`${count(parked)} parked`} />}
        </li>
      ))}
    </ul>
  )
}

function Lag({ groups }: { readonly groups: readonly Group[] }): JSX.Element {
  const mostMs = Math.max(0, ...groups.map(({ lagMs }) => lagMs))
  return mostMs > LATE_MS ? <Mark tone="bad" word={duration(mostMs)} /> : <span>{duration(mostMs)}</span>
}

function Failures({ items, hasMore }: Api['control.parked']['output']): JSX.Element {
  const side = items.some(({ state }) => state === 'dead') && (
    <ActButton act={() => redrive('all')}>Redrive all dead</ActButton>
  )
  return (
    <Panel title={`Failed (${hasMore ? 'more than ' : ''}${items.length})`} isBare side={side}>
      <DataTable
        caption="Events that failed"
        rows={items}
        keyOf={({ id }) => id}
        orderParam="failed"
        empty={<Empty title="No event has failed">What cannot be handled appears here with its error.</Empty>}
        columns={[
          {
            title: 'event',
            as: 'head',
            cell: ({ id, topic, key }) => (
              <>
                <a href={hrefWith({ parked: id })}>{topic}</a>
                <div class="muted small">
                  key <span class="mono">{key}</span>
                </div>
              </>
            ),
          },
          { title: 'group', by: ({ group }) => group, cell: ({ group }) => group },
          {
            title: 'state',
            as: 'nowrap',
            by: ({ state }) => state,
            cell: ({ state }) => <Mark tone={toneOf(state)} word={state} />,
          },
          { title: 'error', as: 'clip', cell: ({ error }) => messageOf(error) },
          {
            title: 'attempts',
            as: 'number',
            by: ({ attempts }) => attempts,
            cell: ({ attempts }) => attempts,
          },
          { title: 'behind it', as: 'number', by: ({ behind }) => behind, cell: ({ behind }) => behind },
          {
            title: 'parked',
            as: 'nowrap',
            by: ({ parkedAt }) => parkedAt,
            cell: ({ parkedAt }) => ago(parseTimeMs(parkedAt), presentMs.value),
          },
          {
            title: 'act',
            cell: ({ id, state }) =>
              state === 'dead' ? <ActButton act={() => redrive(id)}>Redrive</ActButton> : '',
          },
        ]}
      />
      {hasMore && <More shown={items.length}>the dead ones come first, then the oldest.</More>}
    </Panel>
  )
}

function messageOf(error: Readonly<Record<string, unknown>> | null): string {
  const message = error?.['message'] ?? error?.['detail'] ?? error?.['code']
  return typeof message === 'string' ? message : error === null ? '–' : JSON.stringify(error)
}

function redrive(which: string): Act {
  const isAll = which === 'all'
  return {
    title: isAll ? 'Redrive all dead events?' : 'Redrive 1 event?',
    detail: isAll
      ? 'All dead events of all services are handled again from the start, also those not listed here, and with them the events that wait behind. What has not been repaired fails again.'
      : `Event ${which} is handled again from the start, and with it the events that wait behind. What has not been repaired fails again.`,
    verb: 'Redrive',
    run: async () => {
      const { redriven } = await ask('control.redrive', { which: isAll ? 'all' : [which] })
      return `${plural(redriven.length, 'event')} will be tried again.`
    },
  }
}

function ParkedEvent({ id }: { readonly id: string }): JSX.Element {
  const asked = useAsked('control.parkedEvent', { id })
  return (
    <Panel
      title={`Event ${id}`}
      side={
        <a class="button small" href={hrefWith({ parked: undefined })}>
          Close
        </a>
      }
    >
      <Answer asked={asked}>
        {(event) => (
          <div class="stack">
            <Facts
              items={[
                ['topic', event.topic],
                ['key', event.key],
                ['group', event.group],
                ['state', <Mark key="state" tone={toneOf(event.state)} word={event.state} />],
                ['attempts', event.attempts],
                ['partition', event.partition],
                ['position', count(event.position)],
                ['parked', wholeTime(parseTimeMs(event.parkedAt))],
                ['tried again', event.state === 'dead' ? undefined : wholeTime(parseTimeMs(event.nextAt))],
              ]}
            />
            <div class="columns">
              <div>
                <h3>Error</h3>
                <Code label="Error" text={valueBlock(event.error)} />
              </div>
              <div>
                <h3>Event</h3>
                <Code label="Event" text={valueBlock(event.event)} />
              </div>
            </div>
            {event.state === 'dead' && (
              <div>
                <ActButton isSmall={false} act={() => redrive(id)}>
                  Redrive
                </ActButton>
              </div>
            )}
          </div>
        )}
      </Answer>
    </Panel>
  )
}
