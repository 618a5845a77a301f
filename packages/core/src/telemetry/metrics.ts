/**
 * Counters, gauges and histograms, cheap enough to be on everywhere (about 10 ns an observation), shown as
 * Prometheus text.
 *
 * A metric has a fixed list of label names; `with(...)` gives the cell for one set of values, which hot code
 * fetches once and keeps.
 *
 * @source https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 * @module
 */

/** More label sets than this in one metric are folded into one cell labelled `other`: a bound, not an error. */
const CELLS_MAX = 2_000

/** Something that only grows. */
export class Counter {
  value = 0

  add(by = 1): void {
    this.value += by
  }
}

/** Something that goes up and down. */
export class Gauge {
  value = 0

  set(value: number): void {
    this.value = value
  }

  add(by: number): void {
    this.value += by
  }
}

const SUB_BUCKETS = 8
const SUB_BITS = 3
/** 2^31 µs are 36 minutes; whatever takes longer lands in the last bucket. */
const BUCKETS = 32 * SUB_BUCKETS

/**
 * Durations in log-linear buckets: eight to every power of two of microseconds, so a quantile is right to within
 * 12.5 %. Histograms of the same shape add up, across instances too.
 *
 * @source the bucket layout of HdrHistogram, http://hdrhistogram.org
 */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS)
  #count = 0
  #sumMs = 0

  get count(): number {
    return this.#count
  }

  get sumMs(): number {
    return this.#sumMs
  }

  observe(durationMs: number): void {
    // Rounded up and one less: a bucket includes its upper bound, as Prometheus's `le` does.
    const us = (Math.ceil(Math.min(durationMs * 1000, 0x7fff_ffff)) | 0) - 1
    const index = bucketOf(us < 0 ? 0 : us)
    this.#counts[index] = (this.#counts[index] as number) + 1
    this.#count++
    this.#sumMs += durationMs
  }

  /** The duration in milliseconds that `share` (0 to 1) of the observations do not exceed; 0 when there are none. */
  quantileMs(share: number): number {
    const rank = Math.ceil(this.#count * share)
    let seen = 0
    for (let index = 0; index < BUCKETS; index++) {
      seen += this.#counts[index] as number
      if (seen >= rank && seen > 0) return upperBoundUs(index) / 1000
    }
    return 0
  }

  /** How many observations were at most each of `boundsUs`: powers of two, ascending. */
  countsUpTo(boundsUs: readonly number[]): number[] {
    let index = 0
    let seen = 0
    return boundsUs.map((boundUs) => {
      for (const end = bucketOf(boundUs); index < end; index++) seen += this.#counts[index] as number
      return seen
    })
  }
}

function bucketOf(us: number): number {
  if (us < SUB_BUCKETS) return us
  const exponent = 31 - Math.clz32(us)
  return (exponent - SUB_BITS + 1) * SUB_BUCKETS + ((us >> (exponent - SUB_BITS)) & (SUB_BUCKETS - 1))
}

function upperBoundUs(index: number): number {
  if (index < SUB_BUCKETS) return index + 1
  const shift = Math.floor(index / SUB_BUCKETS) - 1
  return (SUB_BUCKETS + (index % SUB_BUCKETS) + 1) * 2 ** shift
}

/** One that keeps nothing. */
class DeafCounter extends Counter {
  override add(): void {}
}

/** One that keeps nothing. */
class DeafGauge extends Gauge {
  override set(): void {}
  override add(): void {}
}

/** One that keeps nothing. */
class DeafHistogram extends Histogram {
  override observe(): void {}
}

const newCells = {
  counter: () => new Counter(),
  gauge: () => new Gauge(),
  histogram: () => new Histogram(),
}
const deafCells: typeof newCells = {
  counter: () => new DeafCounter(),
  gauge: () => new DeafGauge(),
  histogram: () => new DeafHistogram(),
}

/** What the values of a histogram are. */
export type HistogramUnit = 'seconds' | 'units'

/** A cell, and what its labels are. */
interface LabelledCell<C> {
  readonly values: readonly string[]
  /** The labels as Prometheus writes them, which is done once: they are shown every few seconds. */
  readonly text: string
  readonly cell: C
}

/** A metric: one cell for every set of label values. */
export class Family<C> {
  /** What a histogram is of: seconds, or units of anything, of which it was told thousandths. */
  readonly unit: HistogramUnit
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  readonly #create: () => C
  readonly #cells = new Map<string, LabelledCell<C>>()

  constructor(
    name: string,
    help: string,
    labels: readonly string[],
    create: () => C,
    unit: HistogramUnit = 'seconds',
  ) {
    this.unit = unit
    this.name = name
    this.help = help
    this.labels = labels
    this.#create = create
  }

  /** The cell for these label values, in the order of the label names. */
  with(...values: readonly string[]): C {
    const key = values.join('\u0000')
    const known = this.#cells.get(key)
    if (known) return known.cell
    if (this.#cells.size >= CELLS_MAX && values.some((value) => value !== 'other'))
      return this.with(...this.labels.map(() => 'other'))
    const cell = this.#create()
    this.#cells.set(key, { values, text: pairsOf(this.labels, values), cell })
    return cell
  }

  cells(): Iterable<LabelledCell<C>> {
    return this.#cells.values()
  }
}

/** Bounds of the exposed histogram buckets: powers of two from 64 µs to 67 s. */
export const BOUNDS_US: readonly number[] = Array.from({ length: 21 }, (_, index) => 2 ** (index + 6))

/** The metrics of a process by their kind. */
export interface AllFamilies {
  readonly counters: readonly Family<Counter>[]
  readonly gauges: readonly Family<Gauge>[]
  readonly histograms: readonly Family<Histogram>[]
}

/** How metrics are. */
export interface MetricsOptions {
  /** True: nothing is kept and nothing shown, at next to no cost. Default false. */
  readonly isOff?: boolean
}

/** All metrics of one process. */
export class Metrics {
  readonly isOff: boolean
  readonly #counters = new Map<string, Family<Counter>>()
  readonly #gauges = new Map<string, Family<Gauge>>()
  readonly #histograms = new Map<string, Family<Histogram>>()
  readonly #beforeScrape: (() => void)[] = []
  readonly #cells: typeof newCells

  constructor({ isOff = false }: MetricsOptions = {}) {
    this.isOff = isOff
    this.#cells = isOff ? deafCells : newCells
  }

  /** `name` ends in `_total`. Asking again for the same name gives the same family. */
  counter(name: string, help: string, labels: readonly string[] = []): Family<Counter> {
    return family(this.#counters, name, () => new Family(name, help, labels, this.#cells.counter))
  }

  gauge(name: string, help: string, labels: readonly string[] = []): Family<Gauge> {
    return family(this.#gauges, name, () => new Family(name, help, labels, this.#cells.gauge))
  }

  /** `name` ends in `_seconds`, but for one of other units: `observe` takes thousandths of those. */
  histogram(
    name: string,
    help: string,
    labels: readonly string[] = [],
    unit: HistogramUnit = 'seconds',
  ): Family<Histogram> {
    return family(this.#histograms, name, () => new Family(name, help, labels, this.#cells.histogram, unit))
  }

  /** Runs `update` before every scrape; for gauges that are read rather than kept. */
  onScrape(update: () => void): void {
    this.#beforeScrape.push(update)
  }

  /** Everything there is, up to date. */
  read(): AllFamilies {
    if (this.isOff) return { counters: [], gauges: [], histograms: [] }
    for (const update of this.#beforeScrape) update()
    return {
      counters: [...this.#counters.values()],
      gauges: [...this.#gauges.values()],
      histograms: [...this.#histograms.values()],
    }
  }

  /** Everything as Prometheus text. */
  toPrometheus(): string {
    const { counters, gauges, histograms } = this.read()
    const lines: string[] = []
    for (const metric of counters) plainLines(lines, metric, 'counter')
    for (const metric of gauges) plainLines(lines, metric, 'gauge')
    for (const metric of histograms) histogramLines(lines, metric)
    return `${lines.join('\n')}\n`
  }
}

function family<F>(families: Map<string, F>, name: string, create: () => F): F {
  const known = families.get(name)
  if (known) return known
  const created = create()
  families.set(name, created)
  return created
}

function plainLines(lines: string[], metric: Family<Counter> | Family<Gauge>, type: string): void {
  lines.push(helpLine(metric), `# TYPE ${metric.name} ${type}`)
  for (const { text, cell } of metric.cells()) lines.push(`${metric.name}${braced(text)} ${cell.value}`)
}

function histogramLines(lines: string[], metric: Family<Histogram>): void {
  const { name, unit } = metric
  lines.push(helpLine(metric), `# TYPE ${name} histogram`)
  // Counted are microseconds, or single units.
  const scale = unit === 'seconds' ? 1e6 : 1
  for (const { text, cell } of metric.cells()) {
    const bucket = `${name}_bucket{${text}${text === '' ? '' : ','}le="`
    cell.countsUpTo(BOUNDS_US).forEach((count, index) => {
      lines.push(`${bucket}${(BOUNDS_US[index] as number) / scale}"} ${count}`)
    })
    lines.push(`${bucket}+Inf"} ${cell.count}`)
    lines.push(`${name}_sum${braced(text)} ${cell.sumMs / (scale / 1000)}`)
    lines.push(`${name}_count${braced(text)} ${cell.count}`)
  }
}

function helpLine({ name, help }: Family<unknown>): string {
  return `# HELP ${name} ${help.replace(/[\\\n]/g, (char) => (char === '\n' ? '\\n' : '\\\\'))}`
}

function braced(pairs: string): string {
  return pairs === '' ? '' : `{${pairs}}`
}

function pairsOf(names: readonly string[], values: readonly string[]): string {
  return names.map((name, index) => `${name}="${quote(values[index] ?? '')}"`).join(',')
}

function quote(value: string): string {
  return value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))
}
