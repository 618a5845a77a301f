/**
 * The processes as another process than their supervisor sees them; see fleet.ts for what is said.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import type { SupervisorMessage } from '@flotilla/core/run-host'
import type { Fleet, FromControl, Order, ProcessState, ToControl } from './fleet.ts'

/** What it takes. */
export interface RemoteFleetOptions {
  readonly clock: Clock
  readonly send: (message: FromControl) => void
  /** Everything is about to stop; resolves when nobody looks any more. */
  readonly onClosing: () => Promise<void>
}

/** No order takes longer: a process has 30 s to end, and 30 s to start, twice. */
const ORDER_MS_MAX = 90_000

interface Waiting {
  readonly done: (isFound: boolean) => void
  readonly failed: (error: FlotillaError) => void
}

/** The processes. */
export class RemoteFleet implements Fleet {
  readonly #options: RemoteFleetOptions
  readonly #waiting = new Map<number, Waiting>()
  readonly #whenKnown: (() => void)[] = []
  #processes: readonly ProcessState[] | undefined
  #lastId = 0
  #isCut = false

  constructor(options: RemoteFleetOptions) {
    this.#options = options
  }

  get processes(): readonly ProcessState[] {
    return this.#processes ?? []
  }

  /** Resolves when the supervisor has told of the processes. */
  async known(): Promise<void> {
    if (this.#processes === undefined) await new Promise<void>((resolve) => this.#whenKnown.push(resolve))
  }

  async scale(host: string, instances: number): Promise<void> {
    await this.#order({ what: 'scale', host, instances })
  }

  restart(process: string): Promise<boolean> {
    return this.#order({ what: 'restart', process })
  }

  kill(process: string): Promise<boolean> {
    return this.#order({ what: 'kill', process })
  }

  async down(): Promise<void> {
    await this.#order({ what: 'down' })
  }

  /** To be given everything that the supervisor says; what it says to every host is not for this. */
  take(message: ToControl | SupervisorMessage): void {
    if (message.kind === 'state') {
      this.#processes = message.processes
      for (const resolve of this.#whenKnown.splice(0)) resolve()
    } else if (message.kind === 'done') this.#waiting.get(message.id)?.done(message.isFound)
    else if (message.kind === 'refused') {
      const { error } = message
      // Made anew as our own: what the supervisor refuses, operators are told in its words.
      this.#waiting.get(message.id)?.failed(new FlotillaError(error.code, error.message, error))
    } else if (message.kind === 'closing') {
      const quiet = (): void => this.#options.send({ kind: 'quiet' })
      // What went wrong is told by whoever closes the rest.
      void this.#options.onClosing().then(quiet, quiet)
    }
  }

  /** The supervisor is gone: whoever waits for it fails with `unavailable`. */
  cut(): void {
    this.#isCut = true
    for (const { failed } of [...this.#waiting.values()]) failed(gone('maybe'))
  }

  async #order(order: Order): Promise<boolean> {
    if (this.#isCut) throw gone('no')
    const { clock, send } = this.#options
    const id = ++this.#lastId
    try {
      return await new Promise<boolean>((done, failed) => {
        const late = (): void =>
          failed(new FlotillaError('deadline_exceeded', `The order to ${order.what} takes too long.`))
        const timer = clock.schedule(ORDER_MS_MAX, late)
        this.#waiting.set(id, {
          done: (isFound) => {
            timer.cancel()
            done(isFound)
          },
          failed: (error) => {
            timer.cancel()
            failed(error)
          },
        })
        send({ kind: 'order', id, order })
      })
    } finally {
      this.#waiting.delete(id)
    }
  }
}

function gone(executed: 'no' | 'maybe'): FlotillaError {
  return new FlotillaError('unavailable', 'The supervisor is gone.', { executed })
}
