/**
 * The supervisor's side of the talk with the process that steers and watches; see fleet.ts for what is said.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError, isFlotillaError } from '@flotilla/core/error'
import type { FromControl, Order, ToControl } from './fleet.ts'
import type { Supervisor } from './supervisor.ts'

/** What it takes. */
export interface FleetDeskOptions {
  readonly supervisor: Pick<Supervisor, 'processes' | 'scale' | 'restart' | 'kill'>
  readonly clock: Clock
  /** The name of the process that gives the orders. */
  readonly self: string
  /** Everything is to stop. */
  readonly onDown: () => void
  /** Telemetry is not kept, for that reason. */
  readonly onUnwatched: (why: string) => void
}

/** How long a process may take to end. */
const GRACE_MS = 30_000
/** The same for the one that gives the orders: nobody's work waits for its end. */
const OWN_GRACE_MS = 3_000
/** Whoever has its own end ordered has so long to pass the answer on. */
const ANSWER_MS = 200

/** Carries orders out. */
export class FleetDesk {
  readonly #options: FleetDeskOptions
  readonly #whenQuiet: (() => void)[] = []

  constructor(options: FleetDeskOptions) {
    this.#options = options
  }

  /** The processes, to be told. */
  get state(): ToControl {
    return { kind: 'state', processes: this.#options.supervisor.processes }
  }

  /** Resolves when it is said that nobody looks any more. */
  quiet(): Promise<void> {
    return new Promise((resolve) => this.#whenQuiet.push(resolve))
  }

  /** To be given everything that the process says; answers go to `reply`. */
  take(message: FromControl, reply: (answer: ToControl) => void): void {
    if (message.kind === 'order') void this.#answer(message.id, message.order, reply)
    else if (message.kind === 'unwatched') this.#options.onUnwatched(message.why)
    else for (const resolve of this.#whenQuiet.splice(0)) resolve()
  }

  async #answer(id: number, order: Order, reply: (answer: ToControl) => void): Promise<void> {
    const { clock, self } = this.#options
    try {
      if ('process' in order && order.process === self) {
        reply({ kind: 'done', id, isFound: true })
        await clock.sleep(ANSWER_MS)
        await this.#carryOut(order, OWN_GRACE_MS)
      } else reply({ kind: 'done', id, isFound: await this.#carryOut(order) })
    } catch (error) {
      const told = isFlotillaError(error) ? error : new FlotillaError('internal', String(error))
      reply({ kind: 'refused', id, error: told.toBody() })
    }
  }

  async #carryOut(order: Order, graceMs = GRACE_MS): Promise<boolean> {
    const { supervisor, onDown } = this.#options
    if (order.what === 'down') onDown()
    else if (order.what === 'scale') await supervisor.scale(order.host, order.instances, graceMs)
    else if (order.what === 'restart') return await supervisor.restart(order.process, graceMs)
    else return supervisor.kill(order.process)
    return true
  }
}
