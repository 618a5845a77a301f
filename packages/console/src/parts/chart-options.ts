/**
 * How charts are drawn.
 *
 * @module
 */
import type uPlot from 'uplot'
import { clockTime, minuteTime } from '../format/times.ts'
import { lonePlaces } from './chart-data.ts'

/** A trace that shows what a point tells of. */
export interface Dot {
  readonly atMs: number
  readonly value: number
  readonly traceId: string
}

/** Colours, as the theme has them. */
export interface ChartColours {
  readonly lines: readonly string[]
  readonly text: string
  readonly grid: string
  readonly dot: string
  readonly surface: string
}

/** Dashes that tell lines apart without colours, in pixels on and off; the first line is whole. */
export const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 2], [8, 3, 2, 3], [12, 3], [4, 6]]

/** Dots are hit from so far, in pixels. */
const REACH_PX = 14
const DAY_MS = 86_400_000

/** What is drawn, and what is done with it. */
export interface ChartSpec {
  readonly labels: readonly string[]
  readonly colours: ChartColours
  readonly widthPx: number
  readonly heightPx: number
  /** What may change while the chart stays. */
  readonly now: () => {
    readonly dots: readonly Dot[]
    readonly range: { readonly fromMs: number; readonly toMs: number }
    readonly format: (value: number) => string
  }
  readonly onRange: (fromMs: number, toMs: number) => void
  readonly onDot: (dot: Dot) => void
}

/** Options for the chart library. */
export function chartOptions(spec: ChartSpec): uPlot.Options {
  const { colours, labels, now } = spec
  const axis = { stroke: colours.text, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false } }
  const font = '11px system-ui, sans-serif'
  return {
    width: spec.widthPx,
    height: spec.heightPx,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
    scales: {
      x: { range: () => [now().range.fromMs / 1_000, now().range.toMs / 1_000] },
      y: { range: (_, __, highest) => [0, highest > 0 ? highest * 1.1 : 1] },
    },
    series: [{}, ...labels.map((label, index) => lineStyle(label, index, colours))],
    axes: [
      {
        ...axis,
        font,
        space: 72,
        size: 28,
        values: (_, moments) => moments.map((at) => timeLabel(at * 1_000, now().range)),
      },
      { ...axis, font, space: 32, size: 64, values: (_, values) => values.map(now().format) },
    ],
    hooks: {
      draw: [(chart) => drawDots(chart, now().dots, colours)],
      setSelect: [
        (chart) => {
          const { left, width } = chart.select
          if (width < 4) return
          spec.onRange(chart.posToVal(left, 'x') * 1_000, chart.posToVal(left + width, 'x') * 1_000)
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
        },
      ],
      ready: [(chart) => listenForDots(chart, spec)],
    },
  }
}

function lineStyle(label: string, index: number, colours: ChartColours): uPlot.Series {
  return {
    label,
    stroke: colours.lines[index % colours.lines.length] ?? colours.text,
    width: 1.5,
    dash: [...(DASHES[index % DASHES.length] ?? [])],
    spanGaps: false,
    points: { show: true, size: 5, filter: (chart, series) => lonePlaces(chart.data[series] ?? []) },
  }
}

function timeLabel(
  atMs: number,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): string {
  if (toMs - fromMs < 300_000) return clockTime(atMs)
  return minuteTime(atMs, toMs - fromMs > DAY_MS)
}

function drawDots(chart: uPlot, dots: readonly Dot[], colours: ChartColours): void {
  const { ctx } = chart
  const ratio = devicePixelRatio
  ctx.save()
  ctx.lineWidth = ratio
  ctx.strokeStyle = colours.surface
  ctx.fillStyle = colours.dot
  for (const { atMs, value } of dots) {
    const x = chart.valToPos(atMs / 1_000, 'x', true)
    const y = chart.valToPos(value, 'y', true)
    ctx.beginPath()
    // A diamond: lines have no such points.
    ctx.moveTo(x, y - 5 * ratio)
    ctx.lineTo(x + 5 * ratio, y)
    ctx.lineTo(x, y + 5 * ratio)
    ctx.lineTo(x - 5 * ratio, y)
    ctx.closePath()
    ctx.fill()
    ctx.stroke()
  }
  ctx.restore()
}

function listenForDots(chart: uPlot, { now, onDot }: ChartSpec): void {
  const dotAt = (event: MouseEvent): Dot | undefined => {
    const box = chart.over.getBoundingClientRect()
    const distance = ({ atMs, value }: Dot): number =>
      Math.hypot(
        chart.valToPos(atMs / 1_000, 'x') - (event.clientX - box.left),
        chart.valToPos(value, 'y') - (event.clientY - box.top),
      )
    const nearest = [...now().dots].sort((a, b) => distance(a) - distance(b))[0]
    return nearest && distance(nearest) <= REACH_PX ? nearest : undefined
  }
  chart.over.addEventListener('mousemove', (event) => {
    chart.over.classList.toggle('u-exemplar', dotAt(event) !== undefined)
  })
  chart.over.addEventListener('click', (event) => {
    const dot = dotAt(event)
    if (dot) onDot(dot)
  })
}
