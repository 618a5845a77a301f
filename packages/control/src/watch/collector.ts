/**
 * Brings what the processes tell into the telemetry store: their metrics, asked of each every few seconds. Spans come by
 * themselves, by OTLP; lines by their files.
 *
 * A process that does not answer is one sample of `flotilla_process_up` that is 0, and no more; what one process tells is bounded.
 *
 * @module
 */
import type { Clock, Timer } from '@flotilla/core/clock'
import type { HttpClient } from '@flotilla/core/http-client'
import type { Logger } from '@flotilla/core/log'
import type { Metrics } from '@flotilla/core/metrics'
import { PrometheusReader } from '../telemetry/prometheus-text.ts'
import type { StoredSample } from '../telemetry/rows.ts'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'

/** A process to be asked. */
export interface Target {
  readonly process: string
  readonly host: string
  readonly instance: string
  /** Its origin; '' while it has none. */
  readonly http: string
  readonly isReady: boolean
}

/** What it takes. */
export interface CollectorOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly http: HttpClient
  readonly store: TelemetryStore
  readonly targets: () => readonly Target[]
  /** Of this process: told along, as of the process `control`. */
  readonly own: Metrics
}

/** As Prometheus usually asks, and three times as often. */
const ASK_MS = 5_000
const ANSWER_MS_MAX = 2_000
/** As Prometheus's own clients name it. */
const START = /^process_start_time_seconds\s+(\S+)/m
/** As which process this one tells of itself. */
export const CONTROL = 'control'

/** Asks until it is closed. */
export class Collector {
  readonly #options: CollectorOptions
  /** When each instance that there is answered last. */
  #answeredMs: ReadonlyMap<string, number> = new Map()
  /** By instance. */
  readonly #readers = new Map<string, PrometheusReader>()
  /** What counters said last, by their labels: of an instance those are the same object each time. */
  readonly #counted = new WeakMap<object, number>()
  #timer: Timer | undefined
  #isClosed = false

  constructor(options: CollectorOptions) {
    this.#options = options
    this.#later()
  }

  /** One turn: asks every process. */
  async turn(): Promise<void> {
    const { clock, store, targets, own } = this.#options
    const timeMs = clock.now()
    const answered = new Map([[CONTROL, timeMs]])
    const told = await Promise.all(
      targets().map(async (target) => {
        const text = await this.#ask(target)
        const { process, host, instance } = target
        const up = {
          timeMs,
          name: 'flotilla_process_up',
          labels: { process, host, instance },
          type: 'gauge' as const,
        }
        const answeredMs = text === undefined ? this.#answeredMs.get(instance) : timeMs
        if (answeredMs !== undefined) answered.set(instance, answeredMs)
        if (text === undefined) return [{ ...up, value: 0 }]
        return [{ ...up, value: 1 }, ...this.#read(text, { process, instance }, timeMs)]
      }),
    )
    // What was asked while everything closes says nothing of the processes.
    if (this.#isClosed) return
    store.appendSamples([
      ...told.flat(),
      ...this.#read(own.toPrometheus(), { process: CONTROL, instance: CONTROL }, timeMs),
    ])
    this.#answeredMs = answered
    for (const instance of this.#readers.keys()) if (!answered.has(instance)) this.#readers.delete(instance)
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  #later(): void {
    if (this.#isClosed) return
    const { clock, log } = this.#options
    this.#timer = clock.schedule(ASK_MS, () => {
      this.turn()
        .catch((error: unknown) => log.warn('metrics were not gathered', { error }))
        .finally(() => this.#later())
    })
  }

  /** What a process shows; undefined: it does not answer. */
  async #ask({ http, isReady }: Target): Promise<string | undefined> {
    if (!isReady || http === '') return undefined
    const url = `${http}/metrics`
    try {
      const { status, body } = await this.#options.http.send({ method: 'GET', url, timeoutMs: ANSWER_MS_MAX })
      return status === 200 ? body : undefined
    } catch {
      // That it does not answer is what is told.
      return undefined
    }
  }

  #read(
    text: string,
    labels: { readonly process: string; readonly instance: string },
    timeMs: number,
  ): readonly StoredSample[] {
    const { instance } = labels
    const reader = this.#readers.get(instance) ?? new PrometheusReader()
    this.#readers.set(instance, reader)
    const sinceMs = this.#answeredMs.get(instance) ?? startMsOf(text)
    const { samples } = reader.read(text, { timeMs, labels, sinceMs })
    return samples.filter(({ type, labels: its, value }) => {
      if (type !== 'counter') return true
      const before = this.#counted.get(its) ?? 0
      this.#counted.set(its, value)
      return value !== before
    })
  }
}

/** When a process says that it started: since then it has counted what its first answer shows. Undefined: it does not say. */
function startMsOf(text: string): number | undefined {
  const seconds = START.exec(text)?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1_000
}
