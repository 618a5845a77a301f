/**
 * Hears of every event that changes what is kept, and knows whether it does.
 *
 * Every gateway follows the log by itself, from where the log ends when it comes; it shares with nobody and keeps no position beyond
 * its own life. The log sends a sign of life a few times a second. As long as the last one is fresh and said "this is the end",
 * nothing was missed: the follower is *current*. When it is silent, fails, or has more than it has told yet, the follower is not
 * current, and what it has kept is not to be given out. Nothing is forgotten for that: it goes on from where it was, hears what it
 * missed, and is current again. Only when the log cannot tell what was missed, everything counts as changed.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import { type Envelope, PARTITIONS } from '@flotilla/core/envelope'
import { FlotillaError, isFlotillaError } from '@flotilla/core/error'
import type { EventLog } from '@flotilla/core/event-log'
import type { Logger } from '@flotilla/core/log'

/** What it takes. */
export interface EventFollowerOptions {
  readonly eventLog: EventLog
  readonly topics: readonly string[]
  readonly clock: Clock
  readonly log: Pick<Logger, 'info' | 'warn'>
  readonly onEvent: (event: Envelope) => void
  /** Events may have been missed. */
  readonly onGap: () => void
}

const HEARTBEAT_MS = 200
/** Silence after which it is not current: what has changed is seen within a second, also when the log hangs. */
const SILENCE_MS = 700
/** Silence after which it follows anew: perhaps somebody else answers. */
const HANGING_MS = 3_000
const AGAIN_MS = 100

/** The follower. */
export class EventFollower {
  readonly #options: EventFollowerOptions
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  /** Handled up to here; undefined before the first look. */
  #position: number | undefined
  /** When it was told that nothing is missing. */
  #currentAtMs = Number.NEGATIVE_INFINITY
  #isWarned = false

  constructor(options: EventFollowerOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  /** True when it knows that it has heard of everything up to a moment ago. */
  get isCurrent(): boolean {
    return this.#options.clock.monotonicMs() - this.#currentAtMs <= SILENCE_MS
  }

  async close(): Promise<void> {
    this.#stop.abort(new FlotillaError('canceled', 'The gateway is closing.'))
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await this.#follow()
      } catch (error) {
        if (signal.aborted) break
        if (isFlotillaError(error) && error.reason === 'beyond_end') this.#position = undefined
        if (!this.#isWarned) log.warn('events cannot be followed; the cache is passed by', { error })
        this.#isWarned = true
      }
      this.#currentAtMs = Number.NEGATIVE_INFINITY
      await clock.sleep(AGAIN_MS, signal).catch(() => {
        // Closed: the loop looks for itself.
      })
    }
  }

  async #follow(): Promise<void> {
    const { eventLog, topics, clock, onEvent, onGap } = this.#options
    if (this.#position === undefined) {
      const { position } = await eventLog.head()
      // Whatever was read before may have been changed by an event before this position.
      onGap()
      this.#position = position
    }
    const at = this.#position
    const positions = Object.fromEntries(
      Array.from({ length: PARTITIONS }, (_, partition) => [partition, at]),
    )
    const hanging = new AbortController()
    const stop = (): void => hanging.abort()
    this.#stop.signal.addEventListener('abort', stop)
    let timer = clock.schedule(HANGING_MS, stop)
    try {
      if (this.#stop.signal.aborted) return
      const news = eventLog.follow({ topics, positions, heartbeatMs: HEARTBEAT_MS }, hanging.signal)
      for await (const { events, upTo, forgottenUpTo, isEnd } of news) {
        timer.cancel()
        timer = clock.schedule(HANGING_MS, stop)
        if (forgottenUpTo !== undefined) onGap()
        for (const { event } of events) onEvent(event)
        this.#position = upTo
        if (isEnd) this.#becomeCurrent()
      }
    } finally {
      timer.cancel()
      this.#stop.signal.removeEventListener('abort', stop)
    }
  }

  #becomeCurrent(): void {
    this.#currentAtMs = this.#options.clock.monotonicMs()
    if (this.#isWarned) this.#options.log.info('events are followed again')
    this.#isWarned = false
  }
}
