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
  /** Time of the critical path that is this service's. */
  readonly ownMs: number
}

/**
 * What of the critical path is each service's, the longest first: each moment belongs to the deepest span of the path that ran then, of several
 * to the one begun last. So it adds up to the trace, though work may outlive the span that caused it, and who merely waited or watched has nothing.
 */
export function timePerService(
  spans: readonly (WaterfallSpan & { readonly isCritical: boolean })[],
): ServiceTime[] {
  const times = new Map<string, ServiceTime>()
  const add = (service: string, count: number, ms: number): void => {
    const before = times.get(service)
    times.set(service, {
      service,
      spans: (before?.spans ?? 0) + count,
      ownMs: (before?.ownMs ?? 0) + ms,
    })
  }
  for (const { service } of spans) add(service, 1, 0)
  const path = rowsOf(spans).filter(({ span }) => span.isCritical)
  const edges = path.flatMap((row) => [
    { atMs: row.span.startMs, row, isBegin: true },
    { atMs: row.span.startMs + row.span.durationMs, row, isBegin: false },
  ])
  const running = new Set<WaterfallRow<WaterfallSpan>>()
  let sinceMs = 0
  for (const { atMs, row, isBegin } of edges.sort((a, b) => a.atMs - b.atMs)) {
    const [deepest] = [...running].sort((a, b) => b.depth - a.depth || b.span.startMs - a.span.startMs)
    if (deepest !== undefined) add(deepest.span.service, 0, atMs - sinceMs)
    sinceMs = atMs
    if (isBegin) running.add(row)
    else running.delete(row)
  }
  return [...times.values()].sort((a, b) => b.ownMs - a.ownMs)
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
