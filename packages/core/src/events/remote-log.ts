/**
 * The event log of another process, by the contract.
 *
 * @module
 */
import type { Calls } from '../contract/calls.ts'
import { Cancellation } from '../kernel/cancellation.ts'
import { FlotillaError, isFlotillaError } from '../kernel/error.ts'
import type { eventLog } from './contract.ts'
import type { Envelope } from './envelope.ts'
import type { Batch, EventLog, FollowOptions, Head } from './log.ts'

/** The functions of the log's contract, of calls that end when `cancellation` is canceled. */
export type EventLogCalls = (cancellation: Cancellation) => Calls<typeof eventLog>

/** The log behind the calls. What is appended must be of the service that calls. */
export class RemoteEventLog implements EventLog {
  readonly #calls: EventLogCalls

  constructor(calls: EventLogCalls) {
    this.#calls = calls
  }

  async append(source: string, fencing: number, events: readonly Envelope[]): Promise<void> {
    await this.#calls(new Cancellation()).append({ source, fencing, events: [...events] })
  }

  /** Besides what the port says, ends after an hour, as every stream does; follow again. */
  async *follow(options: FollowOptions, signal: AbortSignal): AsyncGenerator<Batch> {
    const cancellation = new Cancellation()
    const stop = (): void => cancellation.cancel(new FlotillaError('canceled', 'Nobody follows any more.'))
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    try {
      const { topics, positions, ...others } = options
      yield* this.#calls(cancellation).follow({
        topics: [...topics],
        positions: { ...positions },
        ...others,
      })
    } catch (error) {
      const isOver = isFlotillaError(error) && error.code === 'deadline_exceeded'
      if (!signal.aborted && !isOver) throw error
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async head(): Promise<Head> {
    return this.#calls(new Cancellation()).head()
  }
}
