/**
 * The spans of a trace as rows: each below the one that caused it, those of one cause by when they began. Spans whose cause is not there stand at
 * the left edge.
 *
 * @module
 */
import type { SpanInfo } from './shapes.ts'

type Placed = Pick<SpanInfo, 'spanId' | 'parentId' | 'startMs'>

/** A row. */
export interface SpanRow<Span> {
  readonly span: Span
  /** 0 at the left edge. */
  readonly depth: number
}

/** Every span once, causes before what they caused, whatever they name as their cause. */
export function spanRows<Span extends Placed>(spans: readonly Span[]): SpanRow<Span>[] {
  const known = new Set(spans.map(({ spanId }) => spanId))
  const children = new Map<string | undefined, Span[]>()
  for (const span of spans.toSorted((a, b) => b.startMs - a.startMs)) {
    const { parentId } = span
    const cause = parentId !== undefined && known.has(parentId) ? parentId : undefined
    const siblings = children.get(cause)
    if (siblings === undefined) children.set(cause, [span])
    else siblings.push(span)
  }
  const rows: SpanRow<Span>[] = []
  const seen = new Set<Span>()
  // The last is taken first, so the latest is put first. No recursion: a chain may be as long as a trace.
  const enter = (first: readonly Span[]): void => {
    const open = first.map((span) => ({ span, depth: 0 }))
    for (let row = open.pop(); row !== undefined; row = open.pop()) {
      if (seen.has(row.span)) continue
      seen.add(row.span)
      rows.push(row)
      const depth = row.depth + 1
      open.push(...(children.get(row.span.spanId) ?? []).map((span) => ({ span, depth })))
    }
  }
  enter(children.get(undefined) ?? [])
  // Spans that cause one another in a circle hang from no root.
  for (const span of spans) enter(seen.has(span) ? [] : [span])
  return rows
}
