/**
 * The spans of a trace as lines of a waterfall: each below the one that caused it, those of one cause by when they began. Spans whose cause is
 * not there stand at the left edge.
 *
 * @module
 */

/** What of a span matters here. */
export interface WaterfallSpan {
  readonly spanId: string
  readonly parentId?: string
  readonly service: string
  readonly startMs: number
  readonly durationMs: number
}

/** A line. */
export interface WaterfallRow<Span> {
  readonly span: Span
  /** 0 at the left edge. */
  readonly depth: number
  /** Spans it caused, and those caused by them. */
  readonly below: number
  /** True where a cause is named but not there. */
  readonly isOrphan: boolean
}

/** Every span once, causes before what they caused, whatever they name as their cause. */
export function rowsOf<Span extends WaterfallSpan>(spans: readonly Span[]): WaterfallRow<Span>[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]))
  const children = new Map<string, Span[]>()
  const roots: Span[] = []
  for (const span of [...spans].sort(byStart)) {
    const parent = span.parentId === undefined ? undefined : byId.get(span.parentId)
    if (parent === undefined || parent === span) roots.push(span)
    else children.set(parent.spanId, [...(children.get(parent.spanId) ?? []), span])
  }
  const rows: WaterfallRow<Span>[] = []
  const seen = new Set<Span>()
  const enter = (span: Span, depth: number, isOrphan: boolean): number => {
    if (seen.has(span)) return 0
    seen.add(span)
    const index = rows.length
    rows.push({ span, depth, below: 0, isOrphan })
    const below = (children.get(span.spanId) ?? []).reduce(
      (sum, child) => sum + enter(child, depth + 1, false),
      0,
    )
    rows[index] = { span, depth, below, isOrphan }
    return below + 1
  }
  for (const span of roots) enter(span, 0, span.parentId !== undefined)
  // Spans that cause one another in a circle hang from no root.
  for (const span of spans) enter(span, 0, true)
  return rows
}

/** The lines that are seen while what is below `collapsed` spans is hidden. */
export function visibleRows<Span extends WaterfallSpan>(
  rows: readonly WaterfallRow<Span>[],
  collapsed: ReadonlySet<string>,
): WaterfallRow<Span>[] {
  const seen: WaterfallRow<Span>[] = []
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index]
    if (row === undefined) break
    seen.push(row)
    if (collapsed.has(row.span.spanId)) index += row.below
  }
  return seen
}

/** Time of a service. */
export interface ServiceTime {
  readonly service: string
  readonly spans: number
  /** Time in its spans in which none that they caused ran. */
  readonly ownMs: number
}

/** How long each service worked itself, the longest first. */
export function timePerService(spans: readonly WaterfallSpan[]): ServiceTime[] {
  const children = new Map<string, WaterfallSpan[]>()
  for (const span of spans) {
    if (span.parentId !== undefined)
      children.set(span.parentId, [...(children.get(span.parentId) ?? []), span])
  }
  const totals = new Map<string, ServiceTime>()
  for (const span of spans) {
    const before = totals.get(span.service) ?? { service: span.service, spans: 0, ownMs: 0 }
    const ownMs = before.ownMs + span.durationMs - coveredMs(span, children.get(span.spanId) ?? [])
    totals.set(span.service, { service: span.service, spans: before.spans + 1, ownMs })
  }
  return [...totals.values()].sort((a, b) => b.ownMs - a.ownMs)
}

/** Time of `span` in which at least one of `parts` ran. */
function coveredMs(span: WaterfallSpan, parts: readonly WaterfallSpan[]): number {
  const endMs = span.startMs + span.durationMs
  let atMs = span.startMs
  let sumMs = 0
  for (const part of [...parts].sort(byStart)) {
    const fromMs = Math.max(atMs, part.startMs)
    const toMs = Math.min(endMs, part.startMs + part.durationMs)
    if (toMs <= fromMs) continue
    sumMs += toMs - fromMs
    atMs = toMs
  }
  return sumMs
}

function byStart(a: WaterfallSpan, b: WaterfallSpan): number {
  return a.startMs - b.startMs || b.durationMs - a.durationMs
}

/** Round moments for the scale above a waterfall: at most `marksMax` of them, from 0. */
export function marksOf(wholeMs: number, marksMax: number): number[] {
  if (!(wholeMs > 0)) return [0]
  const rawMs = wholeMs / marksMax
  const power = 10 ** Math.floor(Math.log10(rawMs))
  const stepMs = ([1, 2, 5, 10].find((factor) => factor * power >= rawMs) ?? 10) * power
  return Array.from({ length: Math.floor(wholeMs / stepMs) + 1 }, (_, index) => index * stepMs)
}
