/**
 * A chart of values over time: lines told apart by colour and dashes, their last values above; traces as dots that can be opened; dragging
 * over it looks at that time. The library is loaded with the first chart.
 *
 * @module
 */
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type uPlot from 'uplot'
import { goTo, hrefTo, zoomTo } from '../state/place.ts'
import { isDark } from '../state/theme.ts'
import { columnsOf, type Line, lastOf, lineInWords } from './chart-data.ts'
import { type ChartColours, chartOptions, DASHES, type Dot } from './chart-options.ts'

/** Points further from each other are not joined: a minute, or a thirtieth of the time that is shown. */
const GAP_MS_MIN = 60_000
const GAP_PARTS = 30

/** What a chart needs. */
export interface TimeChartProps {
  readonly title: string
  readonly lines: readonly Line[]
  readonly format: (value: number) => string
  readonly range: { readonly fromMs: number; readonly toMs: number }
  /** Traces that show what points tell of. */
  readonly dots?: readonly Dot[]
  readonly heightPx?: number
}

/** The chart. */
export function TimeChart({
  title,
  lines,
  format,
  range,
  dots = [],
  heightPx = 180,
}: TimeChartProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null)
  const Chart = useLibrary()
  const theme = isDark.value
  const shape = `${lines.map(({ label }) => label).join('\n')}|${theme}|${heightPx}`
  const chart = useRef<uPlot>(undefined)
  const latest = useRef({ dots, range, format })
  latest.current = { dots, range, format }
  const columns = columnsOf(lines, Math.max(GAP_MS_MIN, (range.toMs - range.fromMs) / GAP_PARTS))
  // Dependencies: the shape stands for the lines; their points are set below
  useEffect(() => {
    const element = host.current
    if (!Chart || !element) return undefined
    const options = chartOptions({
      labels: lines.map(({ label }) => label),
      colours: coloursOf(element),
      widthPx: element.clientWidth,
      heightPx,
      now: () => latest.current,
      onRange: zoomTo,
      onDot: ({ traceId }) => goTo(hrefTo(`/traces/${traceId}`)),
    })
    const made = new Chart(options, columns, element)
    chart.current = made
    const sizes = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: heightPx }))
    sizes.observe(element)
    return () => {
      sizes.disconnect()
      made.destroy()
      chart.current = undefined
    }
  }, [Chart, shape])
  useEffect(() => {
    chart.current?.setData(columns)
  }, [lines])
  return (
    <figure class="chart">
      <figcaption>
        {lines.map((line, index) => (
          <span class="key" key={line.label}>
            <Stroke index={index} />
            {line.label} <b>{format(lastOf(line.points) ?? Number.NaN)}</b>
          </span>
        ))}
      </figcaption>
      <div
        class="plot"
        style={{ minHeight: `${heightPx}px` }}
        ref={host}
        role="img"
        aria-label={`${title}. ${lines.map((line) => lineInWords(line, format)).join('; ')}`}
      />
    </figure>
  )
}

function Stroke({ index }: { readonly index: number }): JSX.Element {
  return (
    <svg width="20" height="8" aria-hidden="true">
      <path
        d="M0 4h20"
        stroke={`var(--series-${(index % 6) + 1})`}
        stroke-width="2"
        stroke-dasharray={(DASHES[index % DASHES.length] ?? []).join(' ')}
      />
    </svg>
  )
}

/** The chart library; undefined until it is there. */
function useLibrary(): typeof uPlot | undefined {
  const [library, setLibrary] = useState<{ readonly Chart: typeof uPlot }>()
  useEffect(() => {
    import('uplot').then(
      ({ default: Chart }) => setLibrary({ Chart }),
      () => undefined, // The figures above the chart are there without it.
    )
  }, [])
  return library?.Chart
}

function coloursOf(element: HTMLElement): ChartColours {
  const style = getComputedStyle(element)
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    lines: [1, 2, 3, 4, 5, 6].map((number) => colour(`series-${number}`)),
    text: colour('muted'),
    grid: colour('line'),
    dot: colour('bad'),
    surface: colour('surface'),
  }
}
