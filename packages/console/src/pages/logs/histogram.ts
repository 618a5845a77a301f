/**
 * How many lines there were when, as bars with a part for each level.
 *
 * @module
 */
import { count } from '../../format/figures.ts'

/** Lines of a while. */
export interface Bucket {
  readonly atMs: number
  readonly levels: Readonly<Record<string, number>>
}

/** A part of a bar, in shares of the highest bar: from where, and how much. */
export interface Part {
  readonly level: string
  readonly lines: number
  readonly from: number
  readonly share: number
}

/** The worst stand at the bottom, where they are seen even if they are few. */
const ORDER = ['fatal', 'error', 'warn', 'info', 'debug', 'trace']

const BUCKETS_MAX = 400

/** Every bucket of a range: whiles without a line are not told of. Buckets begin at whole multiples of a step, from whichever is first. */
export function filled(
  buckets: readonly Bucket[],
  stepMs: number,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Bucket[] {
  const known = new Map(buckets.map((bucket) => [bucket.atMs, bucket]))
  const anchorMs = buckets[0]?.atMs ?? fromMs
  const firstMs = anchorMs - Math.max(0, Math.ceil((anchorMs - fromMs) / stepMs)) * stepMs
  const length = Math.min(BUCKETS_MAX, Math.max(0, Math.ceil((toMs - firstMs) / stepMs)))
  return Array.from({ length }, (_, index) => {
    const atMs = firstMs + index * stepMs
    return known.get(atMs) ?? { atMs, levels: {} }
  })
}

/** All lines of a bucket. */
export function linesIn({ levels }: Bucket): number {
  return Object.values(levels).reduce((sum, lines) => sum + lines, 0)
}

/** The parts of every bar, from bottom to top. */
export function barsOf(buckets: readonly Bucket[]): Part[][] {
  const highest = Math.max(1, ...buckets.map(linesIn))
  return buckets.map(({ levels }) => {
    let from = 0
    const inOrder = Object.entries(levels)
      .filter(([, lines]) => lines > 0)
      .sort(([a], [b]) => rank(a) - rank(b))
    return inOrder.map(([level, lines]) => {
      const part = { level, lines, from, share: lines / highest }
      from += part.share
      return part
    })
  })
}

function rank(level: string): number {
  const index = ORDER.indexOf(level)
  return index < 0 ? ORDER.length : index
}

/** `1 200 lines: 3 error, 40 warn, 1 157 info`. */
export function histogramInWords(buckets: readonly Bucket[]): string {
  const totals = new Map<string, number>()
  for (const { levels } of buckets) {
    for (const [level, lines] of Object.entries(levels)) totals.set(level, (totals.get(level) ?? 0) + lines)
  }
  const parts = [...totals].filter(([, lines]) => lines > 0).sort(([a], [b]) => rank(a) - rank(b))
  const whole = parts.reduce((sum, [, lines]) => sum + lines, 0)
  const each = parts.map(([level, lines]) => `${count(lines)} ${level}`).join(', ')
  return `${count(whole)} lines${whole > 0 ? `: ${each}` : ''}`
}

/** The buckets between two places along the bars (shares of the width, in either order), at least one. */
export function bucketsBetween(
  from: number,
  to: number,
  bars: number,
): readonly [first: number, last: number] {
  const indexAt = (share: number): number => Math.min(bars - 1, Math.max(0, Math.floor(share * bars)))
  return [indexAt(Math.min(from, to)), indexAt(Math.max(from, to))]
}
