/**
 * All processes of a system: started in waves, scaled, stopped in the opposite order.
 *
 * @module
 */
import { join } from 'node:path'
import type { Clock, Timer } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import type { Random } from '@flotilla/core/random'
import { INSTANCES_MAX, type Placement } from '../topology/placement.ts'
import { LogFile } from './log-file.ts'
import { ProcessSlot, type SlotCommand } from './process-slot.ts'

/** What it needs. */
export interface SupervisorOptions {
  readonly clock: Clock
  readonly random: Random
  readonly placement: Placement
  /** Host names in the order of starting. */
  readonly waves: readonly (readonly string[])[]
  readonly logFolder: string
  /** Longest wait before a process that ended by itself is started again; default 15,000. */
  readonly restartMsMax?: number | undefined
  /** The command of one process: host, its number from 1, and the how manyeth start it is. */
  readonly command: (host: string, ordinal: number, attempt: number) => SlotCommand
  /** Must not throw. */
  readonly onChange: (slot: ProcessSlot) => void
}

const ROTATE_MS = 10_000
/** For all waves together, lest many that hang make it minutes. */
const STOP_MS_MAX = 30_000

/** The processes. */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #slots = new Map<string, ProcessSlot[]>()
  /** Those a host has no more use for, until they are gone: nobody may forget a process that runs. */
  readonly #leaving = new Set<ProcessSlot>()
  readonly #logs = new Map<string, LogFile>()
  #rotation: Timer | undefined
  #isStopping = false

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#rotateLater()
  }

  /** Every slot, by host in the order of the placement; those on their way out included. */
  get slots(): readonly ProcessSlot[] {
    return Object.keys(this.#options.placement.hosts).flatMap((host) => [
      ...this.slotsOf(host),
      ...[...this.#leaving].filter((slot) => slot.host === host),
    ])
  }

  /** The slots a host should have. */
  slotsOf(host: string): readonly ProcessSlot[] {
    return this.#slots.get(host) ?? []
  }

  /** The log file of a slot. */
  logPath(slot: string): string {
    return join(this.#options.logFolder, `${slot}.log`)
  }

  /** Starts wave after wave; resolves when the last is ready. `onWave` is told before each. */
  async start(onWave: (hosts: readonly string[]) => void): Promise<void> {
    for (const wave of this.#options.waves) {
      if (this.#isStopping) return
      onWave(wave)
      const started = wave.flatMap((host) => this.#grow(host, this.#instancesOf(host)))
      await Promise.all(started.map((slot) => slot.whenReady()))
    }
  }

  /**
   * Brings a host to `instances` processes; resolves when they are ready, or gone.
   *
   * @throws FlotillaError `not_found`, `invalid_argument`; `unavailable` when everything is being stopped.
   */
  async scale(host: string, instances: number, graceMs: number): Promise<void> {
    if (this.#isStopping)
      throw new FlotillaError('unavailable', 'The system is stopping.', { executed: 'no' })
    const slots = this.#slots.get(host)
    if (slots === undefined)
      throw new FlotillaError('not_found', `There is no host ${host}.`, { executed: 'no' })
    if (!Number.isInteger(instances) || instances < 1 || instances > INSTANCES_MAX) {
      throw new FlotillaError('invalid_argument', `Instances must be from 1 to ${INSTANCES_MAX}.`, {
        executed: 'no',
      })
    }
    const surplus = slots.splice(instances)
    const started = this.#grow(host, instances)
    await Promise.all([
      ...surplus.map((slot) => this.#leave(slot, graceMs)),
      ...started.map((slot) => slot.whenReady()),
    ])
  }

  /** Kills a process as a crash would; false when there is no such one. */
  kill(name: string): boolean {
    const slot = this.#find(name)
    slot?.kill()
    return slot !== undefined
  }

  /** Ends a process in good order and starts it again; resolves when it is ready, or with false when there is no such one. */
  async restart(name: string, graceMs: number): Promise<boolean> {
    const slot = this.#find(name)
    if (slot === undefined) return false
    await slot.stop(graceMs)
    // Meanwhile everything may have been told to stop, or the host to shrink.
    if (this.#isStopping || this.#find(name) !== slot) return true
    slot.start()
    await slot.whenReady()
    return true
  }

  #find(name: string): ProcessSlot | undefined {
    return [...this.#slots.values()].flat().find((slot) => slot.name === name)
  }

  /** Stops everything, callers before callees; each has `graceMs` to end before it is killed, all together 30 s. */
  async stop(graceMs: number): Promise<void> {
    const { clock, waves } = this.#options
    this.#isStopping = true
    this.#rotation?.cancel()
    const untilMs = clock.monotonicMs() + STOP_MS_MAX
    for (const wave of waves.toReversed()) {
      const slots = this.slots.filter(({ host }) => wave.includes(host))
      const leftMs = Math.max(0, untilMs - clock.monotonicMs())
      await Promise.all(slots.map((slot) => slot.stop(Math.min(graceMs, leftMs))))
    }
    for (const log of this.#logs.values()) log.close()
  }

  async #leave(slot: ProcessSlot, graceMs: number): Promise<void> {
    this.#leaving.add(slot)
    await slot.stop(graceMs)
    this.#leaving.delete(slot)
  }

  #instancesOf(host: string): number {
    return this.#options.placement.hosts[host]?.instances ?? 1
  }

  /** Adds slots until there are `instances`; returns the new ones, started. */
  #grow(host: string, instances: number): readonly ProcessSlot[] {
    const slots = this.#slots.get(host) ?? []
    this.#slots.set(host, slots)
    const added: ProcessSlot[] = []
    while (slots.length < instances) {
      const slot = this.#createSlot(host, slots.length + 1)
      slots.push(slot)
      added.push(slot)
      slot.start()
    }
    return added
  }

  #createSlot(host: string, ordinal: number): ProcessSlot {
    const { clock, random, command, onChange } = this.#options
    const name = `${host}-${ordinal}`
    let log = this.#logs.get(name)
    if (log === undefined) {
      log = new LogFile(this.logPath(name))
      this.#logs.set(name, log)
    }
    return new ProcessSlot({
      name,
      host,
      clock,
      random,
      log,
      onChange,
      onTracesKept: (from, traceIds) => {
        for (const slot of this.slots) if (slot !== from) slot.tell({ kind: 'keep', traceIds })
      },
      restartMsMax: this.#options.restartMsMax,
      command: (attempt) => command(host, ordinal, attempt),
    })
  }

  #rotateLater(): void {
    this.#rotation = this.#options.clock.schedule(ROTATE_MS, () => {
      for (const log of this.#logs.values()) log.rotateIfLong()
      this.#rotateLater()
    })
  }
}
