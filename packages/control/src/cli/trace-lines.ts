/**
 * Traces as lines of a terminal: a list of them, and one as a waterfall. Where a terminal is narrow, bars get shorter and names are cut; what goes
 * into a file is never cut.
 *
 * @module
 */
import type { SpanInfo, TraceSummary } from '../api/shapes.ts'
import { type SpanRow, spanRows } from '../api/span-tree.ts'
import { shown } from '../mcp/answer-text.ts'
import { type Terminal, table } from './terminal.ts'

/** Where they are shown. `columns`: undefined for a file. */
export type Screen = Pick<Terminal, 'style' | 'columns'>

/** What people call slow, as in the console: from here on yellow, from there on red. */
const YELLOW_MS = 100
/** From here on red. */
export const RED_MS = 500
const BAR_CHARS_MAX = 40
const BAR_CHARS_MIN = 12
/** What of a line is neither bar nor what follows the duration, and what names want. */
const DURATION_CHARS = 11
const NAME_CHARS = 50

/** A line for each trace, below a head; its services where there is room for all lines. */
export function traceList(traces: readonly TraceSummary[], { columns }: Pick<Screen, 'columns'>): string[] {
  const rows = traces.map(({ traceId, startAt, durationMs, spans, errors, name, service, services }) => [
    traceId,
    startAt.slice(11, 19),
    durationMs.toFixed(1),
    String(spans),
    errors === 0 ? '' : String(errors),
    `${service} ${name}`,
    services.join(', '),
  ])
  const whole = table([['TRACE', 'AT', 'MS', 'SPANS', 'BAD', 'WHAT', 'SERVICES'], ...rows])
  if (columns === undefined || whole.every((line) => line.length <= columns)) return whole
  const narrow = rows.map((cells) => cells.slice(0, -1))
  return table([['TRACE', 'AT', 'MS', 'SPANS', 'BAD', 'WHAT'], ...narrow]).map((line) =>
    fitted(line, columns),
  )
}

/** A line for each span, below the one that caused it. */
export function waterfall(spans: readonly SpanInfo[], totalMs: number, screen: Screen): string[] {
  const wanted = (screen.columns ?? Number.POSITIVE_INFINITY) - DURATION_CHARS - NAME_CHARS
  const barChars = Math.max(BAR_CHARS_MIN, Math.min(BAR_CHARS_MAX, wanted))
  return spanRows(spans).map((row) => spanLine(row, totalMs, barChars, screen))
}

function spanLine(
  { span, depth }: SpanRow<SpanInfo>,
  totalMs: number,
  barChars: number,
  screen: Screen,
): string {
  const { columns } = screen
  const { name, service, kind, startMs, durationMs, code, isCritical } = span
  const scale = barChars / Math.max(totalMs, 0.001)
  const before = Math.max(0, Math.min(barChars - 1, Math.floor(startMs * scale)))
  const length = Math.max(1, Math.min(barChars - before, Math.round(durationMs * scale)))
  const bar = `${' '.repeat(before)}${'='.repeat(length)}`.padEnd(barChars)
  const colour = code !== 'ok' || durationMs >= RED_MS ? 'red' : durationMs >= YELLOW_MS ? 'yellow' : 'green'
  const failed = code === 'ok' ? '' : ` ${code}`
  const room = columns === undefined ? undefined : columns - barChars - DURATION_CHARS - failed.length
  // The operation of a service begins with its name.
  const what = shown(name.startsWith(`${service}.`) ? name : `${service} ${name}`)
  const text = fitted(`${' '.repeat(depth)}${what} (${kind})`, room)
  return `${isCritical ? '*' : ' '}${screen.style(colour, bar)} ${durationMs.toFixed(1).padStart(7)}  ${text}${screen.style('red', failed)}`
}

function fitted(text: string, columns = Number.POSITIVE_INFINITY): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`
}
