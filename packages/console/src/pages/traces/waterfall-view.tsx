/**
 * The waterfall of a trace: a tree whose lines open and close, each with a bar for when its span ran.
 *
 * @module
 */
import type { SpanInfo } from '@flotilla/control/shapes'
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { duration } from '../../format/figures.ts'
import { place, setParams } from '../../state/place.ts'
import { SpanDetails } from './span-details.tsx'
import { marksOf, rowsOf, visibleRows, type WaterfallRow } from './waterfall.ts'

const MARKS_MAX = 6
/** Spans drawn at once; a trace with more is shown in parts, closed spans counting as one. */
const ROWS_MAX = 1_000

/** The waterfall. Which spans are closed and which is open for reading is part of the address. */
export function Waterfall({
  spans,
  wholeMs,
}: {
  readonly spans: readonly SpanInfo[]
  readonly wholeMs: number
}): JSX.Element {
  const rows = useMemo(() => rowsOf(spans), [spans])
  const { closed = '', span: opened } = place.value.params
  const collapsed = new Set(closed.split('.').filter((id) => id !== ''))
  const visible = visibleRows(rows, collapsed)
  const toggle = (id: string): void => {
    const next = new Set(collapsed)
    if (!next.delete(id)) next.add(id)
    setParams({ closed: [...next].join('.') })
  }
  return (
    <div class="waterfall">
      <Scale wholeMs={wholeMs} />
      <ol aria-label="Spans, each below the one that caused it">
        {visible.slice(0, ROWS_MAX).map((row) => (
          <SpanRow
            key={row.span.spanId}
            row={row}
            wholeMs={wholeMs}
            isClosed={collapsed.has(row.span.spanId)}
            isOpened={row.span.spanId === opened}
            onToggle={() => toggle(row.span.spanId)}
          />
        ))}
      </ol>
      {visible.length > ROWS_MAX && (
        <p class="quiet">{visible.length - ROWS_MAX} more spans: close some of those above.</p>
      )}
    </div>
  )
}

function Scale({ wholeMs }: { readonly wholeMs: number }): JSX.Element {
  return (
    <div class="waterfall-scale" aria-hidden="true">
      <span />
      <div>
        {marksOf(wholeMs, MARKS_MAX).map((atMs) => (
          <i key={atMs} style={{ left: `${(atMs / Math.max(wholeMs, 1e-9)) * 100}%` }}>
            {duration(atMs)}
          </i>
        ))}
      </div>
    </div>
  )
}

function SpanRow({
  row,
  wholeMs,
  isClosed,
  isOpened,
  onToggle,
}: {
  readonly row: WaterfallRow<SpanInfo>
  readonly wholeMs: number
  readonly isClosed: boolean
  readonly isOpened: boolean
  readonly onToggle: () => void
}): JSX.Element {
  const { span, depth, below, isOrphan } = row
  const { spanId, name, service, startMs, durationMs, code, isCritical } = span
  const isFailed = code !== 'ok'
  return (
    <li
      class={`span ${isCritical ? 'is-critical' : ''} ${isFailed ? 'is-failed' : ''} ${isOpened ? 'is-opened' : ''}`}
    >
      <div class="span-line">
        <div class="span-name" style={{ paddingLeft: `${Math.min(depth, 14) * 12}px` }}>
          {below > 0 ? (
            <button
              type="button"
              class="fold"
              aria-expanded={!isClosed}
              aria-label={`${isClosed ? 'Open' : 'Close'} ${name}, ${below} below`}
              onClick={onToggle}
            >
              {isClosed ? '+' : '−'}
            </button>
          ) : (
            <span class="fold" />
          )}
          <button
            type="button"
            class="link-button"
            aria-expanded={isOpened}
            onClick={() => setParams({ span: isOpened ? undefined : spanId })}
          >
            {isFailed && <span class="tone-bad">{code} </span>}
            {isOrphan && <span class="tone-warning">cause not known </span>}
            {isCritical && <span class="sr">critical </span>}
            <span class="span-title">{name}</span>
          </button>
          <span class="muted small">
            {service}
            {isClosed && ` +${below}`}
          </span>
        </div>
        <div class="span-track">
          <Bar startMs={startMs} durationMs={durationMs} wholeMs={wholeMs} kind={span.kind} />
        </div>
      </div>
      {isOpened && <SpanDetails span={span} />}
    </li>
  )
}

function Bar({
  startMs,
  durationMs,
  wholeMs,
  kind,
}: {
  readonly startMs: number
  readonly durationMs: number
  readonly wholeMs: number
  readonly kind: string
}): JSX.Element {
  const percent = (valueMs: number): number =>
    Math.min(100, Math.max(0, (valueMs / Math.max(wholeMs, 1e-9)) * 100))
  const [left, width] = [percent(startMs), Math.max(0.3, percent(durationMs))]
  // Right of the bar; left of it, or on it, where there is no room.
  const isAtEnd = left + width > 82
  const isInside = isAtEnd && left < 18
  return (
    <>
      <i class={`span-bar ${kind}`} style={{ left: `${Math.min(left, 99.7)}%`, width: `${width}%` }} />
      <span
        class={`span-figure ${isInside ? 'is-inside' : ''}`}
        style={
          isInside
            ? {}
            : isAtEnd
              ? { right: `calc(${100 - left}% + 4px)` }
              : { left: `calc(${left + width}% + 4px)` }
        }
      >
        {duration(durationMs)}
      </span>
    </>
  )
}
