/**
 * Which spans a trace's duration is made of: the way back from its end, at each moment along the span that was waited for.
 *
 * From the end of a span its child that ended last before it is what was waited for; before that child began, the child that ended last before
 * then, and so on. What a span set going and did not wait for, such as the saga of an order, belongs to it: a child ends when all that it caused
 * has ended, or by itself where that was too late to be waited for. So the path begins where the trace ends, and goes through the work, not
 * through somebody beside it who watched.
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
  const wholeEndOf = wholeEnds(spans, children)
  const path = new Set<string>()
  const open = [{ span: root, endUs: wholeEndOf(root) }]
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    const { span, endUs } = step
    // What names itself as its own ancestor is walked once.
    if (path.has(span.spanId)) continue
    path.add(span.spanId)
    const ends = (children.get(span.spanId) ?? []).flatMap((child) => [
      { span: child, endUs: wholeEndOf(child) },
      { span: child, endUs: endOf(child) },
    ])
    const taken = new Set<Timed>()
    let cursorUs = endUs
    for (const end of ends.sort((a, b) => b.endUs - a.endUs)) {
      const child = end.span
      if (taken.has(child) || end.endUs > cursorUs + SKEW_US || child.startUs + SKEW_US < span.startUs)
        continue
      taken.add(child)
      open.push(end)
      cursorUs = child.startUs
    }
  }
  return path
}

function endOf({ startUs, durationUs }: Timed): number {
  return startUs + durationUs
}

/** When a span and all that it caused had ended. */
function wholeEnds(
  spans: readonly Timed[],
  children: ReadonlyMap<string, readonly Timed[]>,
): (span: Timed) => number {
  const ends = new Map<Timed, number>()
  for (const first of spans) {
    const open = [first]
    for (let span = open.at(-1); span !== undefined; span = open.at(-1)) {
      const own = children.get(span.spanId) ?? []
      if (!ends.has(span)) {
        // Also what stops at a span that is its own ancestor.
        ends.set(span, endOf(span))
        open.push(...own.filter((child) => !ends.has(child)))
      } else {
        open.pop()
        ends.set(
          span,
          own.reduce((latest, child) => Math.max(latest, ends.get(child) ?? 0), ends.get(span) ?? 0),
        )
      }
    }
  }
  return (span) => ends.get(span) ?? 0
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
