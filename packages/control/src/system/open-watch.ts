/**
 * The watch over a system: the telemetry store, and what brings telemetry into it.
 *
 * @module
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Timer } from '@flotilla/core/clock'
import type { Closing } from '@flotilla/core/closing'
import { type FlotillaError, isFlotillaError } from '@flotilla/core/error'
import type { HttpClient } from '@flotilla/core/http-client'
import type { Logger } from '@flotilla/core/log'
import type { Metrics } from '@flotilla/core/metrics'
import { LogTail, type TailedFile } from '../telemetry/log-tail.ts'
import { openTelemetryStore, type TelemetryStore } from '../telemetry/telemetry-store.ts'
import { Collector } from '../watch/collector.ts'
import { showProcesses } from '../watch/process-metrics.ts'
import { type SystemOptions, targetsOf } from '../watch/system-state.ts'
import type { DataFolder } from './data-folder.ts'

/** What it needs. */
export interface WatchOptions {
  readonly folder: DataFolder
  readonly clock: Clock
  readonly log: Logger
  readonly closing: Closing
  /** Of what only looks: closed before anything that is watched. */
  readonly lookers: Closing
}

/** The store takes up to so much of the disk. */
export const STORE_BYTES_MAX = 1024 * 1024 * 1024
/** It keeps things so long. */
export const STORE_MS_MAX = 7 * 24 * 3_600_000
const TAIL_MS = 1_000
/** Logs that are what a terminal showed. */
const SCREENS: ReadonlySet<string> = new Set(['up', 'up-errors'])

/** Opens the store; gives the reason when it cannot be had: a system runs without being watched, too. */
export async function openStore({
  folder,
  clock,
  log,
  closing,
}: Omit<WatchOptions, 'lookers'>): Promise<TelemetryStore | FlotillaError> {
  const path = join(folder.path, 'telemetry')
  mkdirSync(path, { recursive: true, mode: 0o700 })
  try {
    const store = await openTelemetryStore({
      folder: path,
      clock,
      log,
      bytesMax: STORE_BYTES_MAX,
      ageMsMax: STORE_MS_MAX,
    })
    closing.defer('telemetry store', () => store.close())
    return store
  } catch (error) {
    if (!isFlotillaError(error)) throw error
    log.warn('nothing is watched', { error })
    return error
  }
}

/** Brings metrics and log lines into the store, until it is closed. */
export async function startWatch(
  store: TelemetryStore,
  system: SystemOptions,
  { own, http }: { readonly own: Metrics; readonly http: HttpClient },
  { folder, clock, log, closing, lookers }: WatchOptions,
): Promise<void> {
  showProcesses(own, system.fleet)
  const collector = new Collector({ clock, log, http, store, own, targets: () => targetsOf(system) })
  lookers.defer('metrics of processes', async () => collector.close())
  const tail = await LogTail.open({
    files: () => processLogs(folder),
    placesPath: join(folder.path, 'telemetry', 'log-places.json'),
    clock,
    take: (lines) => store.appendLogs(lines),
    flush: () => store.flush(),
  })
  const tailing = new Tailing(tail, clock, log)
  closing.defer('log lines', () => tailing.close())
}

/** Not what `up` told its user, which has passwords in it. */
function processLogs(folder: DataFolder): readonly TailedFile[] {
  const names = folder.logNames().filter((name) => !SCREENS.has(name))
  return names.map((process) => ({ process, path: join(folder.logs, `${process}.log`) }))
}

/** Reads on every second, one turn after the other. */
class Tailing {
  readonly #tail: LogTail
  readonly #clock: Clock
  readonly #log: Logger
  #timer: Timer | undefined
  #turn: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(tail: LogTail, clock: Clock, log: Logger) {
    this.#tail = tail
    this.#clock = clock
    this.#log = log
    this.#later()
  }

  /** Reads what is there, once more. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#turn
    await this.#poll()
  }

  #later(): void {
    if (this.#isClosed) return
    this.#timer = this.#clock.schedule(TAIL_MS, () => {
      this.#turn = this.#poll().finally(() => this.#later())
    })
  }

  async #poll(): Promise<void> {
    try {
      await this.#tail.poll()
    } catch (error) {
      this.#log.warn('log lines were not gathered', { error })
    }
  }
}
