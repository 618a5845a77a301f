/**
 * Traces that are looked for: the latest first, each with a bar as long as it lasted.
 *
 * @module
 */
import type { Overview, TraceSummary } from '@flotilla/control/shapes'
import type { JSX } from 'preact'
import { parseTimeMs } from '../../browser/browser.ts'
import { duration, plural } from '../../format/figures.ts'
import { clockTime, wholeTime } from '../../format/times.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { formValues, TextField } from '../../parts/inputs.tsx'
import { durationTone, Lasted, Mark } from '../../parts/marks.tsx'
import { WithOlder } from '../../parts/older.tsx'
import { PageHead, Panel } from '../../parts/panel.tsx'
import { Answer, Empty } from '../../parts/states.tsx'
import { ask } from '../../state/api.ts'
import { useAsked } from '../../state/asked.ts'
import { overview } from '../../state/live.ts'
import { goTo, hrefTo, place, range, setParams } from '../../state/place.ts'

const SHOWN = 100
const TRACE_ID = /^[0-9a-f]{32}$/

/** The page. */
export function TracesPage(): JSX.Element {
  const input = { ...filter(place.value.params), ...range.value, limit: SHOWN }
  const asked = useAsked('observe.traces', input)
  return (
    <div class="stack">
      <PageHead title="Traces" about="A trace is all that one request caused, in every service." />
      <SearchForm />
      <Panel title="Found" isBare side={<Legend />}>
        <Answer asked={asked}>
          {(latest) => (
            <WithOlder
              key={JSON.stringify(place.value.params)}
              latest={latest}
              what="Older ones"
              ask={(cursor) => ask('observe.traces', { ...input, cursor })}
            >
              {(items) => <TraceTable traces={items} />}
            </WithOlder>
          )}
        </Answer>
      </Panel>
    </div>
  )
}

interface Filter {
  readonly service?: string
  readonly name?: string
  readonly minMs?: number
  readonly maxMs?: number
  readonly isFailed?: boolean
}

/** What is looked for, as the address says; what cannot be read is left out. */
function filter({ service, name, minMs, maxMs, failed }: Readonly<Record<string, string>>): Filter {
  const least = Number(minMs ?? '')
  const most = Number(maxMs ?? '')
  return {
    ...(service ? { service } : {}),
    ...(name ? { name } : {}),
    ...(least > 0 ? { minMs: least } : {}),
    ...(most > 0 ? { maxMs: most } : {}),
    ...(failed === '1' ? { isFailed: true } : {}),
  }
}

function SearchForm(): JSX.Element {
  const { service, name, minMs, maxMs, failed } = place.value.params
  const onSubmit = (event: SubmitEvent): void => {
    const values = formValues(event)
    const id = values['name']?.toLowerCase() ?? ''
    if (TRACE_ID.test(id)) goTo(hrefTo(`/traces/${id}`))
    else setParams(values)
  }
  return (
    <form class="form" onSubmit={onSubmit}>
      <TextField name="service" label="Service" value={service} list={namesIn(overview.value)} />
      <TextField
        name="name"
        label="Part of a span's name, or a trace id"
        value={name}
        kind="wide"
        placeholder="orders.place"
      />
      <TextField name="minMs" label="At least ms" value={minMs} kind="narrow" isNumber />
      <TextField name="maxMs" label="At most ms" value={maxMs} kind="narrow" isNumber />
      <label class="check">
        <input
          type="checkbox"
          checked={failed === '1'}
          onChange={(event) => setParams({ failed: event.currentTarget.checked ? '1' : undefined })}
        />
        failed only
      </label>
      <button type="submit" class="button primary">
        Search
      </button>
      <button
        type="button"
        class="button"
        onClick={() => setParams({ service: '', name: '', minMs: '', maxMs: '', failed: '' })}
      >
        Clear
      </button>
    </form>
  )
}

function namesIn(data: Overview | undefined): string[] {
  return [...(data?.services ?? []), ...(data?.foreign ?? [])].map(({ name }) => name)
}

function Legend(): JSX.Element {
  return (
    <span class="row small">
      <Mark tone="ok" word="below 100 ms" />
      <Mark tone="warning" word="to 500 ms" />
      <Mark tone="bad" word="above" />
    </span>
  )
}

function TraceTable({ traces }: { readonly traces: readonly TraceSummary[] }): JSX.Element {
  const longestMs = Math.max(1, ...traces.map(({ durationMs }) => durationMs))
  return (
    <DataTable
      caption="Traces"
      rows={traces}
      keyOf={({ traceId }) => traceId}
      orderParam="order"
      empty={
        <Empty title="No trace was found">
          Look at a longer time above, or ask for less. Fast traces that went well are kept in part only.
        </Empty>
      }
      columns={[
        {
          title: 'trace',
          as: 'head',
          by: ({ name }) => name,
          cell: ({ traceId, name, service }) => (
            <>
              <a href={hrefTo(`/traces/${traceId}`)}>{name}</a>
              <div class="muted small">
                {service} · <span class="mono">{traceId.slice(0, 8)}</span>
              </div>
            </>
          ),
        },
        {
          title: 'duration',
          by: ({ durationMs }) => durationMs,
          cell: ({ durationMs }) => (
            <div class="trace-bar">
              <i
                class={durationTone(durationMs)}
                style={{ width: `${Math.max(1, (durationMs / longestMs) * 100)}%` }}
              />
              <Lasted valueMs={durationMs} />
            </div>
          ),
        },
        {
          title: 'result',
          as: 'nowrap',
          by: ({ errors }) => errors,
          cell: ({ errors }) =>
            errors > 0 ? <Mark tone="bad" word={plural(errors, 'error')} /> : <Mark tone="ok" word="ok" />,
        },
        { title: 'spans', as: 'number', by: ({ spans }) => spans, cell: ({ spans }) => spans },
        {
          title: 'services',
          as: 'clip',
          by: ({ services }) => services.length,
          cell: ({ services }) => services.join(', '),
        },
        {
          title: 'began',
          as: 'number',
          by: ({ startAt }) => startAt,
          cell: ({ startAt, durationMs }) => (
            <time dateTime={startAt} title={`${wholeTime(parseTimeMs(startAt))}, ${duration(durationMs)}`}>
              {clockTime(parseTimeMs(startAt))}
            </time>
          ),
        },
      ]}
    />
  )
}
