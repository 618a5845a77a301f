/**
 * One trace: when each span ran, what made it long, and its log lines.
 *
 * @module
 */
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { parseTimeMs } from '../../browser/browser.ts'
import { duration, plural, share } from '../../format/figures.ts'
import { wholeTime } from '../../format/times.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { CopyButton } from '../../parts/inputs.tsx'
import { Lasted, Mark } from '../../parts/marks.tsx'
import { Facts, PageHead, Panel } from '../../parts/panel.tsx'
import { Answer } from '../../parts/states.tsx'
import { rangeBetween } from '../../state/address.ts'
import type { Api } from '../../state/api.ts'
import { useAsked } from '../../state/asked.ts'
import { hrefTo } from '../../state/place.ts'
import { LogList } from '../logs/log-list.tsx'
import { ServiceLink } from '../service-link.tsx'
import { timePerService } from './waterfall.ts'
import { Waterfall } from './waterfall-view.tsx'

type Trace = Api['observe.trace']['output']

const LOGS_SHOWN = 200
/** Lines of a trace are looked for so long before and after it. */
const AROUND_MS = 60_000

/** The page. */
export function TracePage({ traceId }: { readonly traceId: string }): JSX.Element {
  const asked = useAsked('observe.trace', { traceId })
  return (
    <div class="stack">
      {asked.data === undefined && <PageHead title="Trace" about={<code>{traceId}</code>} />}
      <Answer asked={asked}>{(trace) => <Whole trace={trace} />}</Answer>
      {asked.error?.reason === 'no_trace' && (
        <p class="muted">
          Traces are kept for a while only, and of fast ones that went well a part.{' '}
          <a href={hrefTo('/traces')}>Look for others</a>
        </p>
      )}
    </div>
  )
}

function Whole({ trace }: { readonly trace: Trace }): JSX.Element {
  const { traceId, name, service, startAt, durationMs, errors, items } = trace
  return (
    <>
      <PageHead title={name} about={service}>
        <Lasted valueMs={durationMs} />
        {errors > 0 ? (
          <Mark tone="bad" word={plural(errors, 'error')} />
        ) : (
          <Mark tone="ok" word="no errors" />
        )}
      </PageHead>
      <Facts
        items={[
          ['began', wholeTime(parseTimeMs(startAt))],
          ['spans', trace.isTruncated ? `more than ${items.length}, these are the first` : items.length],
          ['services', trace.services.length],
          [
            'trace',
            <span key="id" class="row">
              <code>{traceId}</code>
              <CopyButton text={traceId} what="the trace id" />
            </span>,
          ],
        ]}
      />
      <Panel
        title="Spans"
        isBare
        side={
          <span class="row small muted">
            <span class="critical-key" aria-hidden="true" /> on the critical path: without it the trace were
            shorter
          </span>
        }
      >
        <Waterfall spans={items} wholeMs={durationMs} />
      </Panel>
      <div class="columns">
        <TimeTable trace={trace} />
        <TraceLogs trace={trace} />
      </div>
    </>
  )
}

function TimeTable({ trace: { items, durationMs } }: { readonly trace: Trace }): JSX.Element {
  const times = useMemo(() => timePerService(items), [items])
  return (
    <Panel title="Time per service" isBare side={<span class="muted small">on the critical path</span>}>
      <DataTable
        caption="What of the critical path is each service’s"
        rows={times}
        keyOf={({ service }) => service}
        columns={[
          {
            title: 'service',
            as: 'head',
            cell: ({ service }) => <ServiceLink service={service} />,
          },
          { title: 'own time', as: 'number', cell: ({ ownMs }) => duration(ownMs) },
          {
            title: 'share of the trace',
            as: 'nowrap',
            cell: ({ ownMs }) => (
              <span class="row nowrap">
                <span class="meter">
                  <i style={{ width: `${Math.min(100, (ownMs / Math.max(durationMs, 1e-9)) * 100)}%` }} />
                </span>
                {share(ownMs / Math.max(durationMs, 1e-9))}
              </span>
            ),
          },
          { title: 'spans', as: 'number', cell: ({ spans }) => spans },
        ]}
      />
    </Panel>
  )
}

function TraceLogs({ trace }: { readonly trace: Trace }): JSX.Element {
  const { traceId, startAt, durationMs, logLines, hasMoreLogLines } = trace
  const q = `trace=${traceId}`
  const startMs = parseTimeMs(startAt)
  const near = { fromMs: startMs - AROUND_MS, toMs: startMs + durationMs + AROUND_MS }
  const asked = useAsked('observe.logs', { q, ...near, limit: LOGS_SHOWN })
  return (
    <Panel
      title={`Log lines (${logLines}${hasMoreLogLines ? ' and more' : ''})`}
      isBare
      side={<a href={hrefTo('/logs', { q, range: rangeBetween(near.fromMs, near.toMs) })}>open in logs</a>}
    >
      <Answer asked={asked}>
        {({ items, nextCursor }) => (
          <>
            {nextCursor !== null && (
              <p class="quiet">
                The last {plural(items.length, 'line')}. Open them in logs for those before.
              </p>
            )}
            {(items.length > 0 || nextCursor === null) && <LogList lines={items.toReversed()} />}
          </>
        )}
      </Answer>
    </Panel>
  )
}
