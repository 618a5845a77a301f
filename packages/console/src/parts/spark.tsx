/**
 * A small picture of how a figure went. It carries no number; the figure stands beside it.
 *
 * @module
 */
import type { JSX } from 'preact'

/** The line of these values in a box, from the left to the right edge, zero at the bottom. */
export function sparkPath(values: readonly number[], width: number, height: number): string {
  const highest = Math.max(...values, 0)
  const stepX = width / Math.max(1, values.length - 1)
  return values
    .map((value, index) => {
      const y = highest === 0 ? height : height - (Math.max(0, value) / highest) * height
      return `${index === 0 ? 'M' : 'L'}${(index * stepX).toFixed(1)} ${y.toFixed(1)}`
    })
    .join('')
}

/** The picture. */
export function Spark({
  values,
  width = 96,
  height = 20,
}: {
  readonly values: readonly number[]
  readonly width?: number
  readonly height?: number
}): JSX.Element {
  return (
    <svg
      class="spark"
      width={width}
      height={height + 2}
      viewBox={`0 -1 ${width} ${height + 2}`}
      aria-hidden="true"
    >
      <path d={sparkPath(values, width, height)} fill="none" stroke="currentColor" stroke-width="1.5" />
    </svg>
  )
}
