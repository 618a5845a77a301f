/**
 * Lines of points, as the chart library wants them, and in words for those who do not see them.
 *
 * @module
 */

/** Points of a line: milliseconds since 1970 and value, oldest first. */
export type Points = readonly (readonly [atMs: number, value: number | null])[]

/** A line of a chart. */
export interface Line {
  readonly label: string
  readonly points: Points
}

/** A column of moments in seconds, and one of values for each line; null where a line has no point. */
export function columnsOf(lines: readonly Line[]): [number[], ...(number | null)[][]] {
  const moments = [...new Set(lines.flatMap(({ points }) => points.map(([atMs]) => atMs)))].sort(
    (a, b) => a - b,
  )
  const values = lines.map(({ points }) => {
    const byMoment = new Map(points)
    return moments.map((atMs) => byMoment.get(atMs) ?? null)
  })
  return [moments.map((atMs) => atMs / 1_000), ...values]
}

/** The last value that is known; undefined where none is. */
export function lastOf(points: Points): number | undefined {
  return points.findLast(([, value]) => value !== null)?.[1] ?? undefined
}

/** The values that are known, oldest first. */
export function valuesOf({ points }: Pick<Line, 'points'>): number[] {
  return points.flatMap(([, value]) => (value === null ? [] : [value]))
}

/** `p95: last 31 ms, from 12 ms to 40 ms`. */
export function lineInWords({ label, points }: Line, format: (value: number) => string): string {
  const values = valuesOf({ points })
  const last = values.at(-1)
  if (last === undefined) return `${label}: no data`
  return `${label}: last ${format(last)}, from ${format(Math.min(...values))} to ${format(Math.max(...values))}`
}
