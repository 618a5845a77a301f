/**
 * Which spans a trace's duration is made of: the way back from its end, at each moment along the span that was waited for.
 *
 * From the end of a span its child that ended last before it is what was waited for; before that child began, the child that ended last before
 * then, and so on. Children that outlive their parent are nobody's wait.
 *
 * @source "critical path" as in Jaeger's and Uber's CRISP: https://www.usenix.org/conference/atc22/presentation/zhang-zhizhou
 * @module
 */
import type { StoredSpan } from '../telemetry/rows.ts'

type Timed = Pick<StoredSpan, 'spanId' | 'parentId' | 'startUs' | 'durationUs'>

/** Clocks of processes differ by so much at least. */
const SKEW_US = 1_000

/** The ids of the spans on it. `root`: the first span. */
export function criticalPath(spans: readonly Timed[], root: Timed): ReadonlySet<string> {
  const children = new Map<string, Timed[]>()
  for (const span of spans) {
    if (span.parentId === undefined || span === root) continue
    const known = children.get(span.parentId)
    if (known === undefined) children.set(span.parentId, [span])
    else known.push(span)
  }
  for (const all of children.values()) all.sort((a, b) => endOf(b) - endOf(a))
  const path = new Set<string>()
  const open = [root]
  for (let span = open.pop(); span !== undefined; span = open.pop()) {
    // What names itself as its own ancestor is walked once.
    if (path.has(span.spanId)) continue
    path.add(span.spanId)
    let cursorUs = endOf(span)
    for (const child of children.get(span.spanId) ?? []) {
      if (endOf(child) > cursorUs + SKEW_US || child.startUs + SKEW_US < span.startUs) continue
      open.push(child)
      cursorUs = child.startUs
    }
  }
  return path
}

function endOf({ startUs, durationUs }: Timed): number {
  return startUs + durationUs
}

/** The first span: without a parent, or with one that is not here; the earliest of those. The earliest of all where they are in a circle. */
export function rootOf<T extends Timed>(spans: readonly T[]): T | undefined {
  const ids = new Set(spans.map(({ spanId }) => spanId))
  const roots = spans.filter(({ parentId }) => parentId === undefined || !ids.has(parentId))
  return (roots.length > 0 ? roots : spans).reduce<T | undefined>(
    (first, one) => (first === undefined || one.startUs < first.startUs ? one : first),
    undefined,
  )
}
