/**
 * A trace for an assistant: a waterfall in words, and the same as data. Of one that is too large, the spans that tell most: what failed, what its
 * duration is made of, then the longest.
 *
 * @module
 */
import type { OutputOf } from '@flotilla/core/operation'
import type { observeContract } from '../api/observe-contract.ts'
import type { SpanInfo } from '../api/shapes.ts'
import { type SpanRow, spanRows } from '../api/span-tree.ts'
import { type Answer, compact, cut, shown, TEXT_CHARS_MAX } from './answer-text.ts'

type Trace = OutputOf<(typeof observeContract)['operations']['trace']>
type Row = SpanRow<SpanInfo>

/** What is left for the lines around the spans. */
const FRAME_CHARS = 1_500
/** Data is for programs, which read more. */
const DATA_CHARS_MAX = 2 * TEXT_CHARS_MAX
const ATTRIBUTES_CHARS = 240
const DEPTH_MAX = 20

/** The same in all spans of a program: who it is, and by what it records. */
const OF_PROGRAMS = /^(?:service|telemetry)\./

/** The trace as text and as data. */
export function traceAnswer({ items, ...facts }: Trace): Answer {
  const rows = spanRows(items.map(telling))
  const lines = rows.map(lineOf)
  const inText = mostTelling(rows, lines, TEXT_CHARS_MAX - FRAME_CHARS)
  const inData = mostTelling(
    rows,
    rows.map(({ span }) => compact(span)),
    DATA_CHARS_MAX,
  )
  const text = [
    cut(compact(facts), FRAME_CHARS / 2),
    `Its log lines${facts.hasMoreLogLines ? ` (${facts.logLines} and more)` : ''}: search_logs with q "trace=${facts.traceId}".`,
    '* = on the critical path, which the duration is made of; start and duration in ms; indented below what caused it',
    ...lines.filter((_, index) => inText.has(index)),
    ...leftOut(rows.length - inText.size, rows.length),
  ]
  return {
    text: text.join('\n'),
    structured: {
      ...facts,
      items: rows.filter((_, index) => inData.has(index)).map(({ span }) => span),
      leftOut: rows.length - inData.size,
    },
  }
}

function telling(span: SpanInfo): SpanInfo {
  const entries = Object.entries(span.attributes).filter(([name]) => !OF_PROGRAMS.test(name))
  return { ...span, attributes: Object.fromEntries(entries) }
}

function leftOut(count: number, all: number): string[] {
  if (count === 0) return []
  return [`truncated: ${count} of ${all} spans left out, short ones that neither failed nor were waited for`]
}

function lineOf({ span, depth }: Row): string {
  const { isCritical, startMs, durationMs, service, name, kind, code, attributes } = span
  const parts = [
    `${isCritical ? '*' : ' '} ${fixed(startMs)} +${fixed(durationMs)}`,
    `${'  '.repeat(Math.min(depth, DEPTH_MAX))}${shown(service)} ${cut(shown(name), ATTRIBUTES_CHARS)} (${kind})`,
  ]
  if (isFailed(span)) parts.push(shown(code))
  const isTold = (isFailed(span) || isCritical) && Object.keys(attributes).length > 0
  if (isTold) parts.push(cut(compact(attributes), ATTRIBUTES_CHARS))
  return parts.join(' ')
}

/** Which rows there is room for, the most telling first. `texts`: what each would take. */
function mostTelling(rows: readonly Row[], texts: readonly string[], charsMax: number): ReadonlySet<number> {
  const rank = ({ span }: Row): number => (isFailed(span) ? 0 : span.isCritical ? 1 : 2)
  const order = rows
    .map((row, index) => ({ row, index }))
    .sort((a, b) => rank(a.row) - rank(b.row) || b.row.span.durationMs - a.row.span.durationMs)
  const kept = new Set<number>()
  let room = charsMax
  for (const { index } of order) {
    room -= (texts[index] ?? '').length + 1
    if (room < 0) break
    kept.add(index)
  }
  return kept
}

function isFailed({ code }: SpanInfo): boolean {
  return code !== 'ok'
}

function fixed(ms: number): string {
  return ms.toFixed(1)
}
