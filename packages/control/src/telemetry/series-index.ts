/**
 * Every series there is, in memory: its number in the file, its labels, and the last value of each counter, from which follows what was
 * added since. Rates and quantiles are then sums of what was added, whatever was restarted meanwhile.
 *
 * @module
 */
import type { StoredSample } from './rows.ts'

/** A metric with its labels. */
export interface Series {
  readonly id: number
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly type: StoredSample['type']
}

interface Known extends Series {
  lastMs: number
  lastValue: number
}

/** A condition for a label; an absent label is an empty one. `!=` wants none of the values. */
export interface LabelMatcher {
  readonly label: string
  readonly is: '=' | '!='
  readonly values: readonly string[]
}

/** What a sample means. */
export interface IndexedSample {
  readonly series: Series
  readonly isNew: boolean
  /** What was added since the last one; 0 for a gauge. */
  readonly increase: number
}

/** What was counted since longer ago is no news. */
const SINCE_MS_MAX = 600_000
const LABELS_MAX = 32
const CHARS_MAX = 200

/** The index. */
export class SeriesIndex {
  readonly #seriesMax: number
  readonly #byKey = new Map<string, Known>()
  readonly #byName = new Map<string, Set<Known>>()
  #nextId = 1

  constructor(seriesMax: number) {
    this.#seriesMax = seriesMax
  }

  get count(): number {
    return this.#byKey.size
  }

  /** The names of all metrics, with their type and how many series each has. */
  *names(): Generator<{
    readonly name: string
    readonly type: StoredSample['type']
    readonly seriesCount: number
  }> {
    for (const [name, all] of this.#byName) {
      for (const { type } of all) {
        yield { name, type, seriesCount: all.size }
        break
      }
    }
  }

  /** Takes a series that is in the file; `last` is of its last sample. */
  restore(series: Series, last: { readonly timeMs: number; readonly value: number }): void {
    this.#add({ ...series, lastMs: last.timeMs, lastValue: last.value })
    this.#nextId = Math.max(this.#nextId, series.id + 1)
  }

  /** Takes a sample; undefined when there are too many series for another one. */
  take(sample: StoredSample): IndexedSample | undefined {
    const labels = bounded(sample.labels)
    const name = sample.name.slice(0, CHARS_MAX)
    const key = keyOf(name, labels)
    const known = this.#byKey.get(key)
    if (known !== undefined) {
      const increase = increaseOf(sample, known)
      if (sample.timeMs >= known.lastMs) {
        known.lastMs = sample.timeMs
        known.lastValue = sample.value
      }
      return { series: known, isNew: false, increase }
    }
    if (this.#byKey.size >= this.#seriesMax) return undefined
    const { type, timeMs, value, sinceMs = Number.NEGATIVE_INFINITY } = sample
    const series = { id: this.#nextId++, name, labels, type, lastMs: timeMs, lastValue: value }
    this.#add(series)
    const counted = timeMs - sinceMs <= SINCE_MS_MAX ? value : 0
    return { series, isNew: true, increase: type === 'gauge' ? 0 : (sample.increase ?? counted) }
  }

  /** Those of a metric whose labels fit. */
  find(name: string, matchers: readonly LabelMatcher[]): readonly Series[] {
    return [...(this.#byName.get(name) ?? [])].filter(({ labels }) =>
      matchers.every(({ label, is, values }) => values.includes(labels[label] ?? '') === (is === '=')),
    )
  }

  /** Forgets those that are not in `ids`; gives the ids it forgot. */
  keepOnly(ids: ReadonlySet<number>): readonly number[] {
    const gone = [...this.#byKey].filter(([, { id }]) => !ids.has(id))
    for (const [key, series] of gone) {
      this.#byKey.delete(key)
      const sameName = this.#byName.get(series.name)
      sameName?.delete(series)
      if (sameName?.size === 0) this.#byName.delete(series.name)
    }
    return gone.map(([, { id }]) => id)
  }

  #add(series: Known): void {
    this.#byKey.set(keyOf(series.name, series.labels), series)
    const sameName = this.#byName.get(series.name) ?? new Set()
    this.#byName.set(series.name, sameName.add(series))
  }
}

/** What was added since the last sample. A value below the last one: it was counted anew from nothing. */
function increaseOf(sample: StoredSample, last: Known): number {
  if (sample.type === 'gauge') return 0
  if (sample.increase !== undefined) return sample.increase
  // Something older that comes late is a part of what was added already.
  if (sample.timeMs < last.lastMs) return 0
  return sample.value >= last.lastValue ? sample.value - last.lastValue : sample.value
}

function bounded(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(labels)
  const isWithin =
    entries.length <= LABELS_MAX &&
    entries.every(([label, value]) => label.length <= CHARS_MAX && value.length <= CHARS_MAX)
  return isWithin
    ? labels
    : Object.fromEntries(
        entries
          .slice(0, LABELS_MAX)
          .map(([label, value]) => [label.slice(0, CHARS_MAX), value.slice(0, CHARS_MAX)]),
      )
}

function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  let key = name
  for (const label of Object.keys(labels).sort()) key += `\0${label}\0${labels[label]}`
  return key
}
