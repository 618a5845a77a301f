/**
 * The seeded killer: ends and pauses processes of a running system, one after the other, as chance has it.
 *
 * @module
 */
import { type Random, randomInteger } from '@flotilla/core/random'
import type { Fleet, FleetProcess } from './fleet.ts'

/** Ways to do harm. */
export type Harm = 'kill' | 'pause' | 'backend' | 'postmaster' | 'supervisor'

/** What was done, in its order. */
export interface Done {
  readonly harm: Harm
  readonly victim: string
  readonly atMs: number
}

const PAUSE_MS_MIN = 1_000
const PAUSE_MS_MAX = 5_000
/** Of twenty harms in a row, the fourth kills a backend and so on; the others are `kill`. */
const PLAN: Readonly<Record<number, Harm>> = {
  3: 'backend',
  6: 'pause',
  9: 'postmaster',
  12: 'pause',
  15: 'supervisor',
  18: 'pause',
}

/** Does harm to one system. */
export class Killer {
  readonly done: Done[] = []
  readonly #fleet: Fleet
  readonly #random: Random
  readonly #pauses = new Set<Promise<void>>()

  constructor(fleet: Fleet, random: Random) {
    this.#fleet = fleet
    this.#random = random
  }

  /** Does the next harm; waits only where the system does not come back by itself. */
  async strike(): Promise<void> {
    const harm = PLAN[this.done.length % 20] ?? 'kill'
    const victim = this.#victim(harm)
    // It is away already: next time.
    if (victim === undefined || !send(victim, harm === 'pause' ? 'SIGSTOP' : 'SIGKILL')) return
    this.done.push({ harm, victim: victim.name, atMs: Date.now() })
    if (harm === 'pause') this.#goOnLater(victim)
    if (harm === 'supervisor') {
      await gone(victim.pid)
      await this.#fleet.startAgain()
    }
  }

  /** Has everybody go on who is paused. */
  async end(): Promise<void> {
    await Promise.all(this.#pauses)
  }

  #victim(harm: Harm): FleetProcess | undefined {
    if (harm === 'postmaster') return this.#fleet.postmaster()
    if (harm === 'supervisor') return this.#fleet.supervisor()
    const all = harm === 'backend' ? this.#fleet.backends() : this.#fleet.processes()
    return all[randomInteger(this.#random, Math.max(1, all.length))]
  }

  #goOnLater(victim: FleetProcess): void {
    const pauseMs = PAUSE_MS_MIN + randomInteger(this.#random, PAUSE_MS_MAX - PAUSE_MS_MIN)
    const pause = new Promise<void>((resolve) =>
      setTimeout(() => {
        send(victim, 'SIGCONT')
        resolve()
      }, pauseMs),
    )
    this.#pauses.add(pause)
    void pause.then(() => this.#pauses.delete(pause))
  }
}

function send({ pid }: FleetProcess, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
