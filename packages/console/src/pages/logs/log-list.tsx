/**
 * Log lines that open to their fields; a field that is chosen goes into the query.
 *
 * @module
 */
import type { LogEntry } from '@flotilla/control/shapes'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { parseTimeMs } from '../../browser/browser.ts'
import { exactTime, wholeTime } from '../../format/times.ts'
import { leavesOf, previewOf, queryTerm, valueText, withTerm } from '../../format/values.ts'
import { Mark, toneOf } from '../../parts/marks.tsx'
import { Empty } from '../../parts/states.tsx'
import { goTo, hrefTo, place } from '../../state/place.ts'

const PREVIEW_CHARS_MAX = 90

/** The list. */
export function LogList({ lines }: { readonly lines: readonly LogEntry[] }): JSX.Element {
  if (lines.length === 0) {
    return <Empty title="No lines">Look at a longer time above, or ask for less.</Empty>
  }
  return (
    <ol class="log-lines">
      {keyed(lines).map(([key, line]) => (
        <LogLine key={key} line={line} />
      ))}
    </ol>
  )
}

/** Keys that stay with their lines as others come before them; equal lines are counted from the oldest. */
function keyed(lines: readonly LogEntry[]): (readonly [key: string, line: LogEntry])[] {
  const seen = new Map<string, number>()
  return lines
    .toReversed()
    .map((line): readonly [string, LogEntry] => {
      const name = `${line.time} ${line.instance} ${line.message}`
      const times = (seen.get(name) ?? 0) + 1
      seen.set(name, times)
      return [`${name} ${times}`, line]
    })
    .reverse()
}

function LogLine({ line }: { readonly line: LogEntry }): JSX.Element {
  const [isOpen, setIsOpen] = useState(false)
  const { time, level, service, message, traceId, fields } = line
  return (
    <li class={`log-line tone-line-${toneOf(level)}`}>
      <div class="log-head">
        <time dateTime={time} title={wholeTime(parseTimeMs(time))}>
          {exactTime(parseTimeMs(time))}
        </time>
        <Mark tone={toneOf(level)} word={level} />
        <span class="log-service">{service}</span>
        <button type="button" class="log-message" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
          {message} <span class="log-preview">{previewOf(fields, PREVIEW_CHARS_MAX)}</span>
        </button>
        {traceId !== undefined && (
          <a class="small" href={hrefTo(`/traces/${traceId}`)} aria-label={`Trace ${traceId.slice(0, 8)}`}>
            trace
          </a>
        )}
      </div>
      {isOpen && <Fields line={line} />}
    </li>
  )
}

function Fields({ line }: { readonly line: LogEntry }): JSX.Element {
  const { level, service, instance, traceId, spanId, fields } = line
  const entries = leavesOf({ level, service, instance, trace: traceId, span: spanId, ...fields })
  return (
    <dl class="fields log-fields">
      {entries.flatMap(([name, value]) => [
        <dt key={name}>{name}</dt>,
        <dd key={`${name}=`}>
          <button
            type="button"
            class="link-button mono"
            title={`Look for ${name}=${valueText(value)}`}
            onClick={() => narrow(queryTerm(name, value))}
          >
            {valueText(value)}
          </button>
        </dd>,
      ])}
    </dl>
  )
}

/** Adds to the query that is there; from other pages it begins a new one. */
function narrow(term: string): void {
  const { path, params } = place.value
  const query = path === '/logs' ? (params['q'] ?? '') : ''
  goTo(hrefTo('/logs', { q: withTerm(query, term), live: path === '/logs' ? params['live'] : undefined }))
}
