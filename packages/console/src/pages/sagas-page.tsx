/**
 * Sagas by status, and one saga with all that happened to it.
 *
 * @module
 */
import type { SagaInfo } from '@flotilla/control/contract'
import type { JSX } from 'preact'
import { parseTimeMs } from '../browser/browser.ts'
import { duration } from '../format/figures.ts'
import { ago, exactTime, wholeTime } from '../format/times.ts'
import { valueBlock } from '../format/values.ts'
import { DataTable } from '../parts/data-table.tsx'
import { ActButton, Choice, CopyButton } from '../parts/inputs.tsx'
import { Mark, toneOf } from '../parts/marks.tsx'
import { Code, Facts, PageHead, Panel } from '../parts/panel.tsx'
import { Answer, Empty, More } from '../parts/states.tsx'
import type { Act } from '../state/acts.ts'
import { type Api, ask } from '../state/api.ts'
import { useAsked } from '../state/asked.ts'
import { hrefTo, place, presentMs, setParams } from '../state/place.ts'

type Saga = Api['control.saga']['output']
type Entry = Saga['entries'][number]

/** As the saga's contract has them. */
const STATUSES = ['parked', 'running', 'ready', 'waiting', 'compensated', 'completed'] as const

/** The list. */
export function SagasPage(): JSX.Element {
  const status = STATUSES.find((one) => one === place.value.params['status'])
  const asked = useAsked('control.sagas', status === undefined ? {} : { status })
  return (
    <div class="stack">
      <PageHead
        title="Sagas"
        about="Work in steps across services that is finished or undone, whoever dies meanwhile."
      >
        <Choice
          label="Status"
          options={[['', 'all'], ...STATUSES.map((one) => [one, one] as const)]}
          value={status ?? ''}
          onChoose={(value) => setParams({ status: value })}
        />
      </PageHead>
      <Panel title="Sagas" isBare>
        <Answer asked={asked}>
          {({ items, hasMore }) => (
            <>
              <SagaTable sagas={items} />
              {hasMore && (
                <More shown={items.length}>choose a status to see fewer, and older ones of it.</More>
              )}
            </>
          )}
        </Answer>
      </Panel>
    </div>
  )
}

function SagaTable({ sagas }: { readonly sagas: readonly SagaInfo[] }): JSX.Element {
  return (
    <DataTable
      caption="Sagas"
      rows={sagas}
      keyOf={({ service, id }) => `${service} ${id}`}
      orderParam="order"
      empty={<Empty title="No sagas">None has this status.</Empty>}
      columns={[
        {
          title: 'saga',
          as: 'head',
          cell: ({ id, service, name }) => (
            <>
              <a href={hrefTo(`/sagas/${encodeURIComponent(id)}`, { service })}>{id}</a>
              <div class="muted small">
                {name} of {service}
              </div>
            </>
          ),
        },
        {
          title: 'status',
          as: 'nowrap',
          by: ({ status }) => status,
          cell: ({ status }) => <Mark tone={toneOf(status)} word={status} />,
        },
        {
          title: 'next',
          as: 'nowrap',
          cell: ({ step, direction }) =>
            step === null ? '–' : `${direction === 'backward' ? 'undo ' : ''}${step}`,
        },
        { title: 'attempts', as: 'number', by: ({ attempts }) => attempts, cell: ({ attempts }) => attempts },
        { title: 'error', as: 'clip', cell: ({ error, cause }) => (error ?? cause)?.message ?? '–' },
        {
          title: 'changed',
          as: 'nowrap',
          by: ({ updatedAt }) => updatedAt,
          cell: ({ updatedAt }) => ago(parseTimeMs(updatedAt), presentMs.value),
        },
        {
          title: 'trace',
          cell: ({ traceId }) => (traceId === '' ? '–' : <a href={hrefTo(`/traces/${traceId}`)}>trace</a>),
        },
        {
          title: 'act',
          cell: ({ id, service, status }) =>
            status === 'parked' ? <ActButton act={() => retry(id, service)}>Retry</ActButton> : '',
        },
      ]}
    />
  )
}

function retry(id: string, service: string): Act {
  return {
    title: `Retry saga ${id}?`,
    detail: `The saga of ${service} goes on with the step it is parked at, as if that had never failed. If the cause is still there it is parked again.`,
    verb: 'Retry',
    run: async () => {
      await ask('control.retrySaga', { id, service })
      return `Saga ${id} goes on.`
    },
  }
}

/** One saga. */
export function SagaPage({ id }: { readonly id: string }): JSX.Element {
  const service = place.value.params['service']
  const asked = useAsked('control.saga', { id, ...(service === undefined ? {} : { service }) })
  return (
    <div class="stack">
      {asked.data === undefined && <PageHead title={id} about="Saga" />}
      <Answer asked={asked}>{(saga) => <Whole saga={saga} />}</Answer>
    </div>
  )
}

function Whole({ saga }: { readonly saga: Saga }): JSX.Element {
  const { id, name, service, status, traceId, error, cause, state, entries } = saga
  return (
    <>
      <PageHead title={id} about={`${name} of ${service}`}>
        <Mark tone={toneOf(status)} word={status} />
        <CopyButton text={id} what="the id of the saga" />
        {traceId !== '' && (
          <a class="button" href={hrefTo(`/traces/${traceId}`)}>
            Trace
          </a>
        )}
        {status === 'parked' && (
          <ActButton isSmall={false} act={() => retry(id, service)}>
            Retry
          </ActButton>
        )}
      </PageHead>
      <Facts
        items={[
          [
            'service',
            <a key="service" href={hrefTo(`/services/${service}`)}>
              {service}
            </a>,
          ],
          ['began', wholeTime(parseTimeMs(saga.createdAt))],
          ['took so far', duration(parseTimeMs(saga.updatedAt) - parseTimeMs(saga.createdAt))],
          [
            'next',
            saga.step === null ? undefined : `${saga.direction === 'backward' ? 'undo ' : ''}${saga.step}`,
          ],
          ['tried again', saga.nextAt === null ? undefined : wholeTime(parseTimeMs(saga.nextAt))],
          ['run by', saga.owner],
        ]}
      />
      {error !== null && (
        <Trouble title="What went wrong last" message={error.message} code={error.reason ?? error.code} />
      )}
      {cause !== null && (
        <Trouble title="Why it is undone" message={cause.message} code={cause.reason ?? cause.code} />
      )}
      <div class="columns">
        <Panel title="What happened">
          <Timeline entries={entries} />
        </Panel>
        <Panel title="State">
          <Code label="State of the saga" text={valueBlock(state)} />
        </Panel>
      </div>
    </>
  )
}

function Trouble({
  title,
  message,
  code,
}: {
  readonly title: string
  readonly message: string
  readonly code: string
}): JSX.Element {
  return (
    <div class="problem tone-line-critical">
      <Mark tone="bad" word={code} />
      <div>
        <strong>{title}</strong>
        <p>{message}</p>
      </div>
    </div>
  )
}

function Timeline({ entries }: { readonly entries: readonly Entry[] }): JSX.Element {
  if (entries.length === 0) return <Empty title="Nothing yet">The first step has not ended.</Empty>
  return (
    <ol class="timeline">
      {entries.map((entry, index) => {
        const before = entries[index - 1]
        const passedMs = before ? parseTimeMs(entry.at) - parseTimeMs(before.at) : undefined
        return (
          <li key={entry.seq} class={entry.direction}>
            <div class="row spread">
              <strong>
                {entry.direction === 'backward' ? '← undo ' : '→ '}
                {entry.step ?? 'saga'}
              </strong>
              <Mark tone={toneOf(entry.outcome)} word={entry.outcome} />
            </div>
            {entry.error !== null && <p>{entry.error.message}</p>}
            <span class="muted small">
              {exactTime(parseTimeMs(entry.at))}
              {passedMs !== undefined && `, ${duration(passedMs)} later`}
            </span>
          </li>
        )
      })}
    </ol>
  )
}
