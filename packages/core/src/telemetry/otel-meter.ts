/**
 * Metrics that user code makes with `@opentelemetry/api`: they are shown with ours, with the service that runs as their first label.
 *
 * A metric of ours has a fixed list of labels. It is that of the first measurement: attributes that come later are left out, and such as
 * are missing are empty. Times (units `ms` and `s`) become seconds.
 *
 * @module
 */
import {
  type Attributes,
  type BatchObservableCallback,
  type BatchObservableResult,
  type Counter,
  diag,
  type Gauge,
  type Histogram,
  type Meter,
  type MetricOptions,
  type Observable,
  type ObservableCallback,
  type UpDownCounter,
} from '@opentelemetry/api'
import { activeHere, type Signals, type Work } from './active-work.ts'
import type { Family, Metrics } from './metrics.ts'

const LABELS_MAX = 8
const TEXT_CHARS_MAX = 256
/** No names of labels, reserved, or ours. */
const UNUSABLE_LABEL = /^(?:$|[0-9]|__|(?:service|le|quantile)$)/

type Open<C> = (metrics: Metrics, name: string, labels: readonly string[]) => Family<C>

/** One instrument: a metric of every host of this process in which it was used. */
class Instrument<C> {
  readonly #open: Open<C>
  readonly #outside: () => Signals
  readonly #name: string
  readonly #families = new WeakMap<Metrics, Family<C>>()

  constructor(name: string, outside: () => Signals, open: Open<C>) {
    this.#name = cleaned(name).replace(/^(?=[0-9]|$)/, '_')
    this.#outside = outside
    this.#open = open
  }

  cell(attributes: Attributes = {}): C {
    const { service, metrics } = signalsHere() ?? this.#outside()
    let family = this.#families.get(metrics)
    if (family === undefined) {
      const labels = new Set(Object.keys(attributes).map(labelName))
      family = this.#open(metrics, this.#name, ['service', ...[...labels].slice(0, LABELS_MAX)])
      this.#families.set(metrics, family)
    }
    const given = new Map(Object.entries(attributes).map(([key, value]) => [labelName(key), textOf(value)]))
    return family.with(service, ...family.labels.slice(1).map((label) => given.get(label) ?? ''))
  }
}

function signalsHere(): Signals | undefined {
  const active = activeHere()
  if (active === undefined) return undefined
  return ('work' in active ? active.work : (active as Work))?.signals
}

function cleaned(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_')
}

function labelName(key: string): string {
  const name = cleaned(key)
  return UNUSABLE_LABEL.test(name) ? `attribute_${name}` : name
}

function textOf(value: Attributes[string]): string {
  // Of an object it may be that nothing can be made.
  return typeof value === 'object' && !Array.isArray(value) ? '' : String(value).slice(0, TEXT_CHARS_MAX)
}

type Observe = (value: number, attributes?: Attributes) => void

/** Leaves out what is no number: users are not held to the types. */
function ofNumbers(observe: Observe): Observe {
  return (value, attributes) => {
    if (Number.isFinite(value)) observe(value, attributes)
  }
}

/** A callback of one instrument, or of several. */
interface Asked {
  readonly callback: ObservableCallback | BatchObservableCallback
  readonly about: readonly Observable[]
  readonly ask: () => unknown
  isAnswering: boolean
}

/** Makes instruments. */
export class WorkMeter implements Meter {
  readonly #asked = new Set<Asked>()
  readonly #observes = new WeakMap<Observable, Observe>()
  readonly #outside: () => Signals

  /** `outside`: whose the measurements are that are made outside any work. */
  constructor(outside: () => Signals) {
    this.#outside = outside
  }

  createCounter(name: string, options?: MetricOptions): Counter {
    const its = this.#counter(name, options)
    return {
      add: ofNumbers((value, attributes) => {
        if (value >= 0) its.cell(attributes).add(value)
      }),
    }
  }

  createUpDownCounter(name: string, options?: MetricOptions): UpDownCounter {
    const its = this.#gauge(name, options)
    return { add: ofNumbers((value, attributes) => its.cell(attributes).add(value)) }
  }

  createGauge(name: string, options?: MetricOptions): Gauge {
    const its = this.#gauge(name, options)
    return { record: ofNumbers((value, attributes) => its.cell(attributes).set(value)) }
  }

  createHistogram(name: string, { description = '', unit = '' }: MetricOptions = {}): Histogram {
    const isTime = unit === 'ms' || unit === 's'
    const full = isTime && !name.endsWith('seconds') ? `${name}_seconds` : name
    const its = this.#of(full, (metrics, metric, labels) =>
      metrics.histogram(metric, description, labels, isTime ? 'seconds' : 'units'),
    )
    // A histogram counts in milliseconds, and one of other units in thousands of them.
    const scale = unit === 'ms' ? 1 : unit === 's' ? 1_000 : 0.001
    return {
      record: ofNumbers((value, attributes) => {
        if (value >= 0) its.cell(attributes).observe(value * scale)
      }),
    }
  }

  createObservableGauge(name: string, options?: MetricOptions): Observable {
    const its = this.#gauge(name, options)
    return this.#observed((value, attributes) => its.cell(attributes).set(value))
  }

  createObservableUpDownCounter(name: string, options?: MetricOptions): Observable {
    return this.createObservableGauge(name, options)
  }

  createObservableCounter(name: string, options?: MetricOptions): Observable {
    const its = this.#counter(name, options)
    return this.#observed((value, attributes) => {
      its.cell(attributes).value = value
    })
  }

  addBatchObservableCallback(callback: BatchObservableCallback, observables: Observable[]): void {
    const about = [...observables]
    const observe: BatchObservableResult['observe'] = (one, value, attributes) => {
      if (about.includes(one)) this.#observes.get(one)?.(value, attributes)
    }
    this.#add(callback, about, () => callback({ observe }))
  }

  removeBatchObservableCallback(callback: BatchObservableCallback, observables: Observable[]): void {
    this.#remove(callback, observables)
  }

  /**
   * Asks all callbacks; to be done before metrics are shown. An answer that comes later counts at the next time. What a callback throws
   * is told to OpenTelemetry's `diag`, and takes nothing from the others.
   */
  observe(): void {
    for (const asked of this.#asked) if (!asked.isAnswering) ask(asked)
  }

  #counter(name: string, { description = '' }: MetricOptions = {}) {
    const full = name.endsWith('_total') ? name : `${name}_total`
    return this.#of(full, (metrics, metric, labels) => metrics.counter(metric, description, labels))
  }

  #gauge(name: string, { description = '' }: MetricOptions = {}) {
    return this.#of(name, (metrics, metric, labels) => metrics.gauge(metric, description, labels))
  }

  #of<C>(name: string, open: Open<C>): Instrument<C> {
    return new Instrument(name, this.#outside, open)
  }

  #observed(observe: Observe): Observable {
    const checked = ofNumbers(observe)
    const observable: Observable = {
      addCallback: (callback) => this.#add(callback, [observable], () => callback({ observe: checked })),
      removeCallback: (callback) => this.#remove(callback, [observable]),
    }
    this.#observes.set(observable, checked)
    return observable
  }

  #add(callback: Asked['callback'], about: readonly Observable[], ask: () => unknown): void {
    this.#remove(callback, about)
    this.#asked.add({ callback, about, ask, isAnswering: false })
  }

  #remove(callback: Asked['callback'], about: readonly Observable[]): void {
    for (const asked of this.#asked) {
      const isSame = asked.about.length === about.length && asked.about.every((one) => about.includes(one))
      if (asked.callback === callback && isSame) this.#asked.delete(asked)
    }
  }
}

function ask(asked: Asked): void {
  const failed = (error: unknown): void => diag.error('a callback of an instrument failed', error)
  try {
    const answer = asked.ask()
    if (answer === undefined) return
    asked.isAnswering = true
    void Promise.resolve(answer)
      .catch(failed)
      .finally(() => {
        asked.isAnswering = false
      })
  } catch (error) {
    failed(error)
  }
}
