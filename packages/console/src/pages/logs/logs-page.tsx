/**
 * Log lines of every service: looked for, counted, or followed as they are written.
 *
 * @module
 */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { plural } from '../../format/figures.ts'
import { clockTime } from '../../format/times.ts'
import { withTerm } from '../../format/values.ts'
import { Choice, formValues, TextField } from '../../parts/inputs.tsx'
import { WithOlder } from '../../parts/older.tsx'
import { PageHead, Panel } from '../../parts/panel.tsx'
import { Answer, Empty, Failed } from '../../parts/states.tsx'
import { ask } from '../../state/api.ts'
import { useAsked } from '../../state/asked.ts'
import { place, range, setParams } from '../../state/place.ts'
import { filled } from './histogram.ts'
import { HistogramView } from './histogram-view.tsx'
import { LogList } from './log-list.tsx'
import { useTail } from './tail.ts'

const SHOWN = 100
const BUCKETS = 60

/** The page. */
export function LogsPage(): JSX.Element {
  const { q = '', live } = place.value.params
  const isLive = live === '1'
  return (
    <div class="stack">
      <PageHead
        title="Logs"
        about={
          isLive
            ? 'Lines as they are written, the latest at the top.'
            : 'Lines of every service, the latest at the top.'
        }
      >
        <Choice
          label="Which lines"
          options={[
            ['', 'Search'],
            ['1', 'Live'],
          ]}
          value={isLive ? '1' : ''}
          onChoose={(value) => setParams({ live: value })}
        />
      </PageHead>
      <QueryForm q={q} />
      {isLive ? <LiveLines key={q} q={q} /> : <Search q={q} />}
    </div>
  )
}

function QueryForm({ q }: { readonly q: string }): JSX.Element {
  const add = (term: string): void => setParams({ q: withTerm(q, term) })
  return (
    <>
      <form class="form" onSubmit={(event) => setParams(formValues(event))}>
        <TextField
          name="q"
          label="Query"
          value={q}
          kind="wide"
          placeholder='order_id=… level>=warn "card declined"'
        />
        <button type="submit" class="button primary">
          Search
        </button>
        <button type="button" class="button" onClick={() => setParams({ q: '' })}>
          Clear
        </button>
        <button type="button" class="button" onClick={() => add('level>=warn')}>
          Warnings and worse
        </button>
      </form>
      <details class="small muted">
        <summary>How to ask</summary>
        <p>
          All terms must hold. <code>payment</code> a word of the message or a field;{' '}
          <code>"card declined"</code> words in this order; <code>order_id=o-17</code> a field with this
          value, whatever the service, and <code>error.code=internal</code> one within another;{' '}
          <code>service!=catalog</code> any other value; <code>level&gt;=warn</code> this level or worse;{' '}
          <code>trace=…</code> the lines of a trace. Choose a value in an opened line to add it.
        </p>
      </details>
    </>
  )
}

function Search({ q }: { readonly q: string }): JSX.Element {
  const query = q === '' ? {} : { q }
  const input = { ...query, ...range.value, limit: SHOWN }
  const lines = useAsked('observe.logs', input)
  const histogram = useAsked('observe.logHistogram', { ...query, ...range.value, buckets: BUCKETS })
  return (
    <>
      <Panel
        title="Lines over time"
        side={<span class="muted small">drag over bars to look at that time</span>}
      >
        <Answer asked={histogram}>
          {({ items, stepMs, cutShortAtMs }) => (
            <>
              <HistogramView buckets={filled(items, stepMs, range.value)} stepMs={stepMs} />
              {cutShortAtMs !== null && (
                <p class="small muted">
                  Counting ran out of time: lines older than {clockTime(cutShortAtMs)} are not among these.
                </p>
              )}
            </>
          )}
        </Answer>
      </Panel>
      <Panel title="Lines" isBare>
        <Answer asked={lines}>
          {(latest) => (
            <WithOlder
              key={`${q} ${place.value.params['range']}`}
              latest={latest}
              what="Older lines"
              ask={(cursor) => ask('observe.logs', { ...input, cursor })}
            >
              {(items) => <LogList lines={items} />}
            </WithOlder>
          )}
        </Answer>
      </Panel>
    </>
  )
}

function LiveLines({ q }: { readonly q: string }): JSX.Element {
  const [isPaused, setIsPaused] = useState(false)
  const { lines, waiting, error } = useTail(q, isPaused)
  return (
    <Panel
      title={`Live, ${plural(lines.length, 'line')}`}
      isBare
      side={
        <span class="row">
          {isPaused && <span class="muted small">{plural(waiting, 'line')} waiting</span>}
          <button
            type="button"
            class="button small"
            aria-pressed={isPaused}
            onClick={() => setIsPaused(!isPaused)}
          >
            {isPaused ? 'Go on' : 'Pause'}
          </button>
        </span>
      }
    >
      {error && <Failed error={error} />}
      {lines.length === 0 ? (
        <Empty title="No line yet">They appear here as they are written.</Empty>
      ) : (
        <LogList lines={lines} />
      )}
    </Panel>
  )
}
