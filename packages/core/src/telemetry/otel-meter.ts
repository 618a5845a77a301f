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
  type Counter,
  createNoopMeter,
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

type Open<C> = (metrics: Metrics, name: string, labels: readonly string[]) => Family<C>

/** One instrument: a metric of every host of this process in which it was used. */
class Instrument<C> {
  readonly #open: Open<C>
  readonly #outside: () => Signals
  readonly #name: string
  readonly #families = new WeakMap<Metrics, Family<C>>()

  constructor(name: string, outside: () => Signals, open: Open<C>) {
    this.#name = name.replace(/[^a-zA-Z0-9_]/g, '_')
    this.#outside = outside
    this.#open = open
  }

  cell(attributes: Attributes = {}): C {
    const { service, metrics } = signalsHere() ?? this.#outside()
    let family = this.#families.get(metrics)
    if (family === undefined) {
      const labels = Object.keys(attributes).slice(0, LABELS_MAX).map(labelName)
      family = this.#open(metrics, this.#name, ['service', ...labels])
      this.#families.set(metrics, family)
    }
    const given = new Map(Object.entries(attributes).map(([key, value]) => [labelName(key), String(value)]))
    return family.with(service, ...family.labels.slice(1).map((label) => given.get(label) ?? ''))
  }
}

function signalsHere(): Signals | undefined {
  const active = activeHere()
  if (active === undefined) return undefined
  return ('work' in active ? active.work : (active as Work)).signals
}

function labelName(key: string): string {
  return key.replace(/[^a-zA-Z0-9_]/g, '_')
}

type Observe = (value: number, attributes?: Attributes) => void

/** Makes instruments. */
export class WorkMeter implements Meter {
  readonly #callbacks = new Set<{ readonly callback: ObservableCallback; readonly observe: Observe }>()
  readonly #outside: () => Signals

  /** `outside`: whose the measurements are that are made outside any work. */
  constructor(outside: () => Signals) {
    this.#outside = outside
  }

  createCounter(name: string, { description = '' }: MetricOptions = {}): Counter {
    const full = name.endsWith('_total') ? name : `${name}_total`
    const its = this.#of(full, (metrics, metric, labels) => metrics.counter(metric, description, labels))
    return {
      add(value, attributes) {
        if (value >= 0) its.cell(attributes).add(value)
      },
    }
  }

  createUpDownCounter(name: string, { description = '' }: MetricOptions = {}): UpDownCounter {
    const its = this.#gauge(name, description)
    return { add: (value, attributes) => its.cell(attributes).add(value) }
  }

  createGauge(name: string, { description = '' }: MetricOptions = {}): Gauge {
    const its = this.#gauge(name, description)
    return { record: (value, attributes) => its.cell(attributes).set(value) }
  }

  createHistogram(name: string, { description = '', unit = '' }: MetricOptions = {}): Histogram {
    const isTime = unit === 'ms' || unit === 's'
    const full = isTime && !name.endsWith('seconds') ? `${name}_seconds` : name
    const its = this.#of(full, (metrics, metric, labels) =>
      metrics.histogram(metric, description, labels, isTime ? 'seconds' : 'units'),
    )
    // A histogram counts in milliseconds, and one of other units in thousands of them.
    const scale = unit === 'ms' ? 1 : unit === 's' ? 1_000 : 0.001
    return { record: (value, attributes) => its.cell(attributes).observe(value * scale) }
  }

  createObservableGauge(name: string, { description = '' }: MetricOptions = {}): Observable {
    const its = this.#gauge(name, description)
    return this.#observed((value, attributes) => its.cell(attributes).set(value))
  }

  createObservableUpDownCounter(name: string, options?: MetricOptions): Observable {
    return this.createObservableGauge(name, options)
  }

  createObservableCounter(name: string, { description = '' }: MetricOptions = {}): Observable {
    const full = name.endsWith('_total') ? name : `${name}_total`
    const its = this.#of(full, (metrics, metric, labels) => metrics.counter(metric, description, labels))
    return this.#observed((value, attributes) => {
      its.cell(attributes).value = value
    })
  }

  /** Not supported: callbacks of single instruments are. */
  addBatchObservableCallback(callback: BatchObservableCallback, observables: Observable[]): void {
    createNoopMeter().addBatchObservableCallback(callback, observables)
  }

  removeBatchObservableCallback(): void {
    // None was added.
  }

  #gauge(name: string, description: string) {
    return this.#of(name, (metrics, metric, labels) => metrics.gauge(metric, description, labels))
  }

  #of<C>(name: string, open: Open<C>): Instrument<C> {
    return new Instrument(name, this.#outside, open)
  }

  /** Asks all callbacks; to be done before metrics are shown. An answer that comes later counts at the next time. */
  observe(): void {
    for (const { callback, observe } of this.#callbacks) void callback({ observe })
  }

  #observed(observe: Observe): Observable {
    return {
      addCallback: (callback) => void this.#callbacks.add({ callback, observe }),
      removeCallback: (callback) => {
        for (const its of this.#callbacks)
          if (its.callback === callback && its.observe === observe) this.#callbacks.delete(its)
      },
    }
  }
}
