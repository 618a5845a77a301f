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

/**
 * A column of moments in seconds, and one of values for each line. Where a line has no point although others have, its neighbours are joined
 * (undefined); but not over null, nor over more than `gapMs`: there, nothing is known.
 */
export function columnsOf(
  lines: readonly Line[],
  gapMs: number,
): [number[], ...(number | null | undefined)[][]] {
  const told = [...new Set(lines.flatMap(({ points }) => points.map(([atMs]) => atMs)))].sort((a, b) => a - b)
  // Where no line has a point for long, one without a value parts them all.
  const moments = told.flatMap((atMs, index) => {
    const next = told[index + 1]
    return next !== undefined && next - atMs > gapMs ? [atMs, (atMs + next) / 2] : [atMs]
  })
  const columns = lines.map(({ points }) => {
    let at = 0
    return moments.map((atMs) => {
      while ((points[at]?.[0] ?? Number.POSITIVE_INFINITY) < atMs) at += 1
      const [next, before] = [points[at], points[at - 1]]
      if (next?.[0] === atMs) return next[1]
      const isJoined = next !== undefined && before !== undefined && next[0] - before[0] <= gapMs
      return isJoined ? undefined : null
    })
  })
  return [moments.map((atMs) => atMs / 1_000), ...columns]
}

/** Places of values that no line reaches, for what is before and behind is not known: they are drawn as points. */
export function lonePlaces(column: ArrayLike<number | null | undefined>): number[] {
  const known = Array.from(column, (value, index) => ({ value, index })).filter(
    ({ value }) => value !== undefined,
  )
  return known.flatMap(({ value, index }, place) => {
    const isAlone = [known[place - 1], known[place + 1]].every((one) => typeof one?.value !== 'number')
    return typeof value === 'number' && isAlone ? [index] : []
  })
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
