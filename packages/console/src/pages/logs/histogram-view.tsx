/**
 * The histogram of log lines: clicking a bar or dragging over several looks at that time.
 *
 * @module
 */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { plural } from '../../format/figures.ts'
import { clockTime } from '../../format/times.ts'
import { zoomTo } from '../../state/place.ts'
import { type Bucket, barsOf, bucketsBetween, histogramInWords, linesIn } from './histogram.ts'

const HEIGHT = 64

/** The picture, its scale, and what the bar under the pointer says. */
export function HistogramView({
  buckets,
  stepMs,
}: {
  readonly buckets: readonly Bucket[]
  readonly stepMs: number
}): JSX.Element {
  const [from, setFrom] = useState<number>()
  const [at, setAt] = useState<number>()
  const bars = barsOf(buckets)
  const count = buckets.length
  const [first, last] = at === undefined ? [-1, -1] : bucketsBetween(from ?? at, at, count)
  const zoom = (): void => {
    const [begin, end] = [buckets[first], buckets[last]]
    if (begin && end) zoomTo(begin.atMs, end.atMs + stepMs)
    setFrom(undefined)
  }
  return (
    <figure class="histogram">
      {/* The time range above is the way for keyboards. */}
      <svg
        viewBox={`0 0 ${Math.max(1, count)} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={histogramInWords(buckets)}
        onPointerDown={(event) => setFrom(shareAt(event))}
        onPointerMove={(event) => setAt(shareAt(event))}
        onPointerUp={zoom}
        onPointerLeave={() => {
          setFrom(undefined)
          setAt(undefined)
        }}
      >
        {first >= 0 && (
          <rect class="histogram-chosen" x={first} y={0} width={last - first + 1} height={HEIGHT} />
        )}
        {bars.map((parts, index) =>
          parts.map((part) => (
            <rect
              key={`${buckets[index]?.atMs}${part.level}`}
              class={`level-${part.level}`}
              x={index + 0.1}
              width={0.8}
              y={HEIGHT * (1 - part.from - part.share)}
              height={Math.max(HEIGHT * part.share, 1)}
            />
          )),
        )}
      </svg>
      <figcaption class="row spread small muted">
        <span>{clockTime(buckets[0]?.atMs ?? Number.NaN)}</span>
        <span>
          {first < 0 ? histogramInWords(buckets) : chosenInWords(buckets.slice(first, last + 1), stepMs)}
        </span>
        <span>{clockTime((buckets.at(-1)?.atMs ?? Number.NaN) + stepMs)}</span>
      </figcaption>
    </figure>
  )
}

function chosenInWords(buckets: readonly Bucket[], stepMs: number): string {
  const begin = buckets[0]?.atMs ?? Number.NaN
  const end = (buckets.at(-1)?.atMs ?? Number.NaN) + stepMs
  const lines = buckets.reduce((sum, bucket) => sum + linesIn(bucket), 0)
  return `${clockTime(begin)} to ${clockTime(end)}: ${plural(lines, 'line')}`
}

function shareAt(event: PointerEvent): number {
  const { left, width } = (event.currentTarget as Element).getBoundingClientRect()
  return (event.clientX - left) / Math.max(1, width)
}
