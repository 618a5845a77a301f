/**
 * The text that processes show at `/metrics`, as samples.
 *
 * @source https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 * @module
 */
import type { StoredSample } from './rows.ts'

/** What is known of a scrape. */
export interface Scrape {
  /** Milliseconds since 1970. */
  readonly timeMs: number
  /** Given to every sample, over what it says itself. */
  readonly labels: Readonly<Record<string, string>>
  /** When the same process was scraped before, if it was: a counter that was not there then has counted from 0 since. */
  readonly sinceMs?: number | undefined
}

/** What was read. */
export interface ScrapedSamples {
  readonly samples: readonly StoredSample[]
  /** Lines that are none of the format, or too many. */
  readonly rejected: number
}

const SAMPLES_MAX = 50_000
const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\\n]|\\.)*)"\s*,?/y
const VALUE = /\s+([^\s#]+)(?:\s+(-?\d+))?\s*(?:#.*)?$/y
const TYPE = /^#\s*TYPE\s+(\S+)\s+(\S+)/
/** Parts of a histogram or a summary. */
const PART = /_(?:bucket|sum|count)$/

/**
 * Reads what one process shows, again and again. What stands before the value is nearly always what stood there the last time: then it is known
 * what it means, and the sample has the very same object of labels.
 */
export class PrometheusReader {
  /** By what stands before the value. */
  readonly #known = new Map<string, Meaning>()

  /** Reads it; what it says of the time of a sample holds. */
  read(text: string, scrape: Scrape): ScrapedSamples {
    const samples: StoredSample[] = []
    const types = new Map<string, string>()
    let rejected = 0
    for (const line of text.split('\n')) {
      if (line.startsWith('#')) {
        const [, name, type] = TYPE.exec(line) ?? []
        if (name !== undefined && type !== undefined) types.set(name, type)
      } else if (line.trim() !== '') {
        const sample = samples.length < SAMPLES_MAX ? this.#sampleOf(line, types, scrape) : undefined
        if (sample === undefined) rejected++
        else samples.push(sample)
      }
    }
    return { samples, rejected }
  }

  #sampleOf(line: string, types: ReadonlyMap<string, string>, scrape: Scrape): StoredSample | undefined {
    const space = line.lastIndexOf(' ')
    const head = line.slice(0, space)
    const known = this.#known.get(head)
    const value = known === undefined ? undefined : numberOf(line.slice(space + 1))
    if (known !== undefined && value !== undefined) {
      const { timeMs, sinceMs } = scrape
      return { timeMs, ...known, value, sinceMs }
    }
    const read = sampleOf(line, types, scrape)
    if (read === undefined) return undefined
    const { sample, end } = read
    if (this.#known.size >= SAMPLES_MAX) this.#known.clear()
    // Neither a time nor an exemplar stands behind its value.
    if (end === space) this.#known.set(head, { name: sample.name, labels: sample.labels, type: sample.type })
    return sample
  }
}

type Meaning = Pick<StoredSample, 'name' | 'labels' | 'type'>

/** A sample, and where in its line that ends which stands before its value. */
function sampleOf(
  line: string,
  types: ReadonlyMap<string, string>,
  { timeMs, labels, sinceMs }: Scrape,
): { readonly sample: StoredSample; readonly end: number } | undefined {
  const name = match(NAME, line, 0)?.[0]
  if (name === undefined) return undefined
  const own = line[name.length] === '{' ? labelsOf(line, name.length + 1) : { labels: {}, end: name.length }
  const [, text = '', time] = own === undefined ? [] : (match(VALUE, line, own.end) ?? [])
  const value = numberOf(text)
  if (own === undefined || value === undefined) return undefined
  const sample: StoredSample = {
    timeMs: time === undefined ? timeMs : Number(time),
    name,
    labels: { ...own.labels, ...labels },
    type: isCounter(name, types) ? 'counter' : 'gauge',
    value,
    sinceMs,
  }
  return { sample, end: own.end }
}

function labelsOf(
  line: string,
  start: number,
): { readonly labels: Record<string, string>; readonly end: number } | undefined {
  const entries: [string, string][] = []
  let at = start
  for (let found = match(LABEL, line, at); found !== null; found = match(LABEL, line, at)) {
    const [whole, name = '', value = ''] = found
    entries.push([name, value.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))])
    at += whole.length
  }
  return line[at] === '}' ? { labels: Object.fromEntries(entries), end: at + 1 } : undefined
}

function isCounter(name: string, types: ReadonlyMap<string, string>): boolean {
  const type = types.get(name)
  if (type !== undefined) return type === 'counter'
  const whole = types.get(name.replace(PART, ''))
  if (whole !== undefined) return PART.test(name) && (whole === 'histogram' || whole === 'summary')
  return name.endsWith('_total')
}

function numberOf(text: string): number | undefined {
  if (/^[+-]?Inf$/i.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  if (/^NaN$/i.test(text)) return Number.NaN
  return text === '' || Number.isNaN(Number(text)) ? undefined : Number(text)
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}
