/**
 * Every place × every fault, on one fleet that runs all the time.
 *
 * A *cell* arms a place, plays the scenario that passes it, and waits until the order is where it must be. Several actors do so side by
 * side, so that what waits for a lease or a restart costs no time of the others; of a service only so many processes are
 * made to fail at a time that one is left, where there are several. A process that stopped itself is let go on after a
 * while, unless the supervisor has killed it meanwhile for its silence.
 *
 * @module
 */
import type { CrashFault } from '@flotilla/core/crashpoint'
import { processesOf } from '../flotilla-process.ts'
import type { CrashSystem } from './crash-system.ts'
import type { Place } from './places.ts'
import { type Actor, pause } from './scenarios.ts'

/** One place and one fault. */
export interface Cell {
  readonly place: Place
  readonly fault: CrashFault
}

/** What came of a cell. */
export interface CellResult extends Cell {
  /** The process that had the fault; undefined: the place was never passed. */
  readonly pid: number | undefined
  /** Of `lose`: the statement whose reply was lost, shortened. */
  readonly lost: string | undefined
  /** From the fault to the end of the scenario. */
  readonly recoveredMs: number
  readonly order: string | undefined
  /** What did not come about. */
  readonly violation: string | undefined
}

/** How it is done. */
export interface CampaignOptions {
  readonly system: CrashSystem
  readonly actors: readonly Actor[]
  readonly cells: readonly Cell[]
  /** How long a process stays stopped. */
  readonly stopMs: number
  readonly onResult: (result: CellResult) => void
}

/** Processes of a service that may be failing at the same time; default 1. */
const FAILING_MAX: Readonly<Record<string, number>> = { orders: 2 }
/** For what follows the end of a scenario. */
const HIT_MS_MAX = 4_000
const LOOK_MS = 20

/** Runs the cells, and resolves when every stopped process goes on again. */
export class Campaign {
  readonly #options: CampaignOptions
  readonly #waiting: Cell[]
  readonly #failing = new Map<string, number>()
  readonly #stopped = new Set<Promise<void>>()

  constructor(options: CampaignOptions) {
    this.#options = options
    this.#waiting = [...options.cells]
  }

  /** Runs all. */
  async run(): Promise<readonly CellResult[]> {
    const results: CellResult[] = []
    await Promise.all(
      this.#options.actors.map(async (actor) => {
        for (let cell = await this.#next(); cell !== undefined; cell = await this.#next()) {
          const result = await this.#play(actor, cell)
          results.push(result)
          this.#options.onResult(result)
        }
      }),
    )
    await Promise.all(this.#stopped)
    return results
  }

  /** A cell of the service that has most of them waiting and may have one more; undefined: nothing is left. */
  async #next(): Promise<Cell | undefined> {
    while (this.#waiting.length > 0) {
      const counts = new Map<string, number>()
      for (const { place } of this.#waiting) counts.set(place.service, (counts.get(place.service) ?? 0) + 1)
      const [service] = [...counts]
        .filter(([name]) => (this.#failing.get(name) ?? 0) < (FAILING_MAX[name] ?? 1))
        .sort((a, b) => b[1] - a[1])
        .map(([name]) => name)
      if (service !== undefined) {
        const index = this.#waiting.findIndex(
          ({ place }) => place.service === service && !this.#isArmed(place),
        )
        const [cell] = index < 0 ? [] : this.#waiting.splice(index, 1)
        if (cell !== undefined) {
          this.#failing.set(service, (this.#failing.get(service) ?? 0) + 1)
          return cell
        }
      }
      await pause(LOOK_MS)
    }
    return undefined
  }

  /** Two faults at one place would be one. */
  readonly #armed = new Set<string>()
  #isArmed({ name }: Place): boolean {
    return this.#armed.has(name)
  }

  async #play(actor: Actor, cell: Cell): Promise<CellResult> {
    const { system } = this.#options
    const { place, fault } = cell
    this.#armed.add(place.name)
    system.arm(place.name, fault)
    const watching = this.#watch(cell)
    let order: string | undefined
    let violation: string | undefined
    let [pid, lost]: [number | undefined, string | undefined] = [undefined, undefined]
    try {
      // A reply is lost with the next write, which may come with the next order only.
      for (
        let turn = 0;
        turn < 2 && (pid === undefined || (fault === 'lose' && lost === undefined));
        turn++
      ) {
        order = await actor.play(place.scenario)
        ;({ pid, lost } = await this.#afterwards(cell))
      }
    } catch (error) {
      violation = error instanceof Error ? error.message : String(error)
      ;({ pid, lost } = await this.#afterwards(cell))
    }
    const endedMs = Date.now()
    system.disarm(place.name)
    const hitMs = await watching.end()
    if (pid === undefined) violation ??= 'the place was never passed'
    else if (fault === 'lose' && lost === undefined) violation ??= 'no reply was lost'
    return {
      ...cell,
      pid,
      lost,
      order,
      violation,
      recoveredMs: hitMs === undefined ? 0 : Math.max(0, endedMs - hitMs),
    }
  }

  async #afterwards({ place, fault }: Cell): Promise<{ pid: number | undefined; lost: string | undefined }> {
    const untilMs = Date.now() + HIT_MS_MAX
    for (;;) {
      const hit = this.#options.system.hit(place.name)
      const isHit = hit !== undefined && (fault !== 'lose' || hit.lost !== undefined)
      if (isHit || Date.now() > untilMs) return { pid: hit?.pid, lost: hit?.lost?.trim().slice(0, 60) }
      await pause(LOOK_MS)
    }
  }

  /** Waits for the fault, lets a stopped process go on, and frees the service; `end` tells when the fault was. */
  #watch({ place, fault }: Cell): { end(): Promise<number | undefined> } {
    let isOver = false
    let hitMs: number | undefined
    const free = (): void => {
      this.#failing.set(place.service, (this.#failing.get(place.service) ?? 1) - 1)
      this.#armed.delete(place.name)
    }
    const watching = (async () => {
      while (!isOver && this.#options.system.hit(place.name) === undefined) await pause(LOOK_MS)
      const hit = this.#options.system.hit(place.name)
      if (hit !== undefined) hitMs = Date.now()
      if (hit === undefined || fault !== 'stop') return
      const going = this.#letGoOn(hit.pid).then(free)
      this.#stopped.add(going)
    })()
    return {
      async end() {
        isOver = true
        await watching
        if (hitMs === undefined || fault !== 'stop') free()
        return hitMs
      },
    }
  }

  async #letGoOn(pid: number): Promise<void> {
    const untilMs = Date.now() + this.#options.stopMs
    const { bed } = this.#options.system
    while (Date.now() < untilMs && processesOf(bed).includes(pid)) await pause(100)
    // Whatever has the number now is another process.
    if (processesOf(bed).includes(pid)) process.kill(pid, 'SIGCONT')
  }
}
