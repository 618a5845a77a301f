/**
 * All processes of a system: started in waves, scaled, stopped in the opposite order. Beside those of the placement there may be companions,
 * watched and started again like all others, whose start and end are up to whoever wanted them.
 *
 * @module
 */
import { join } from 'node:path'
import type { Clock, Timer } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import type { Random } from '@flotilla/core/random'
import type { SupervisorMessage } from '@flotilla/core/run-host'
import { INSTANCES_MAX, type Placement } from '../topology/placement.ts'
import type { ProcessState } from './fleet.ts'
import { LogFile } from './log-file.ts'
import { ProcessSlot, type SlotCommand, type SlotOptions } from './process-slot.ts'

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

/** A process beside those of the placement. */
export interface Companion extends Required<Pick<SlotOptions, 'command' | 'onMessage'>> {
  /** Of the process, its host and its log file. */
  readonly name: string
  readonly services: readonly string[]
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
  readonly #companions = new Map<
    string,
    { readonly slot: ProcessSlot; readonly services: readonly string[] }
  >()
  readonly #logs = new Map<string, LogFile>()
  #rotation: Timer | undefined
  #isStopping = false

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#rotateLater()
  }

  /** Every slot, by host in the order of the placement, then companions; those on their way out included. */
  get slots(): readonly ProcessSlot[] {
    return [
      ...Object.keys(this.#options.placement.hosts).flatMap((host) => [
        ...this.slotsOf(host),
        ...[...this.#leaving].filter((slot) => slot.host === host),
      ]),
      ...[...this.#companions.values()].map(({ slot }) => slot),
    ]
  }

  /** Every process there should be, in the same order. */
  get processes(): readonly ProcessState[] {
    const { hosts } = this.#options.placement
    return [
      ...Object.entries(hosts).flatMap(([host, { services }]) =>
        this.slotsOf(host).map((slot) => stateOf(slot, services)),
      ),
      ...[...this.#companions.values()].map(({ slot, services }) => stateOf(slot, services)),
    ]
  }

  /** Makes a slot for a process beside the placement's, to be started and stopped by the caller. `stop` leaves it alone. */
  accompany({ name, services, command, onMessage }: Companion): ProcessSlot {
    const slot = this.#createSlot(name, name, { command, onMessage })
    this.#companions.set(name, { slot, services })
    return slot
  }

  /** The slots a host should have. */
  slotsOf(host: string): readonly ProcessSlot[] {
    return this.#slots.get(host) ?? []
  }

  /** The log file of a slot. */
  logPath(slot: string): string {
    return join(this.#options.logFolder, `${slot}.log`)
  }

  /** Has every process load what it needs: it opens nothing before its wave is started. */
  load(): void {
    for (const host of this.#options.waves.flat())
      this.#grow(host, this.#instancesOf(host), (slot) => slot.load())
  }

  /** Starts wave after wave; resolves when the last is ready. `onWave` is told before each. */
  async start(onWave: (hosts: readonly string[]) => void): Promise<void> {
    for (const wave of this.#options.waves) {
      if (this.#isStopping) return
      onWave(wave)
      for (const host of wave) this.#grow(host, this.#instancesOf(host))
      const slots = wave.flatMap((host) => this.slotsOf(host))
      for (const slot of slots) slot.open()
      await Promise.all(slots.map((slot) => slot.whenReady()))
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
    const companion = this.#companions.get(name)?.slot
    return companion ?? [...this.#slots.values()].flat().find((slot) => slot.name === name)
  }

  /** Stops everything, callers before callees; each has `graceMs` to end before it is killed, all together 30 s. */
  async stop(graceMs: number): Promise<void> {
    const { clock, waves } = this.#options
    this.#isStopping = true
    this.#rotation?.cancel()
    const untilMs = clock.monotonicMs() + STOP_MS_MAX
    // Those that have not opened anything have nothing to bring to an end.
    await Promise.all(this.slots.filter(({ isHeld }) => isHeld).map((slot) => slot.stop(0)))
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
  #grow(
    host: string,
    instances: number,
    begin = (slot: ProcessSlot): void => slot.start(),
  ): readonly ProcessSlot[] {
    const slots = this.#slots.get(host) ?? []
    this.#slots.set(host, slots)
    const added: ProcessSlot[] = []
    while (slots.length < instances) {
      const ordinal = slots.length + 1
      const slot = this.#createSlot(`${host}-${ordinal}`, host, {
        command: (attempt) => this.#options.command(host, ordinal, attempt),
      })
      slots.push(slot)
      added.push(slot)
      begin(slot)
    }
    return added
  }

  #createSlot(name: string, host: string, its: Pick<SlotOptions, 'command' | 'onMessage'>): ProcessSlot {
    const { clock, random, onChange, restartMsMax } = this.#options
    let log = this.#logs.get(name)
    if (log === undefined) {
      log = new LogFile(this.logPath(name))
      this.#logs.set(name, log)
    }
    return new ProcessSlot({
      ...its,
      name,
      host,
      clock,
      random,
      log,
      onChange,
      onTracesKept: (from, traceIds) => {
        const keep: SupervisorMessage = { kind: 'keep', traceIds }
        for (const slot of this.slots) if (slot !== from) slot.tell(keep)
      },
      restartMsMax,
    })
  }

  #rotateLater(): void {
    this.#rotation = this.#options.clock.schedule(ROTATE_MS, () => {
      for (const log of this.#logs.values()) log.rotateIfLong()
      this.#rotateLater()
    })
  }
}

function stateOf(slot: ProcessSlot, services: readonly string[]): ProcessState {
  const { name, host, state, isLooping, pid, instance, http, starts, uptimeMs, stats, lastEnd } = slot
  return { name, host, services, state, isLooping, pid, instance, http, starts, uptimeMs, stats, lastEnd }
}
