/**
 * Tells receivers: each on its own, so that one that does not answer keeps nobody waiting.
 *
 * Who does not take a message is left alone for a while, for longer each time (up to five minutes); what is to be told then is looked at
 * anew. It goes on as long as there is something to tell: what fires, and for a day what is over.
 *
 * @module
 */
import { fullJitterMs } from '@flotilla/core/backoff'
import type { Clock } from '@flotilla/core/clock'
import type { HttpClient } from '@flotilla/core/http-client'
import type { Logger } from '@flotilla/core/log'
import type { Counter } from '@flotilla/core/metrics'
import type { Random } from '@flotilla/core/random'
import { Ticker } from '@flotilla/core/ticker'
import type { Alert } from './alert.ts'
import { durationMs } from './duration.ts'
import type { Trouble } from './lookout.ts'
import { messageOf } from './message.ts'
import { openReceiver, type Receiver } from './receiver.ts'
import type { ReceiverSpec } from './receiver-spec.ts'
import { severities } from './rule.ts'
import { afterTelling, type Known, tellingsFor } from './telling.ts'

const LOOK_MS = 5_000
const BACKOFF = { baseMs: 10_000, capMs: 300_000 }
const WAIT_MS_MIN = 1_000
/** Fewer failures in a row are nothing to speak of. */
const FAILURES_MAX = 3
const DEFAULT_REPEAT = '4h'

/** What it takes. */
export interface NotifierOptions {
  readonly clock: Clock
  readonly random: Random
  readonly http: HttpClient
  readonly log: Logger
  readonly consoleUrl: string
  /** All there are. */
  readonly alerts: () => readonly Alert[]
  /** Counts messages by receiver. */
  readonly count: (receiver: string, outcome: 'sent' | 'failed') => Counter
  /** A receiver knows more now. */
  readonly onKnown: () => void
}

/** Tells one receiver. */
class Line {
  readonly spec: string
  readonly #name: string
  readonly #options: NotifierOptions
  readonly #receiver: Receiver
  readonly #wish: Parameters<typeof tellingsFor>[2]
  readonly #ticker: Ticker
  #known: Known
  #failures = 0
  #nextMs = 0
  #why = ''

  constructor(name: string, spec: ReceiverSpec, known: Known, options: NotifierOptions) {
    this.spec = JSON.stringify(spec)
    this.#name = name
    this.#options = options
    this.#receiver = openReceiver(spec, options.http)
    this.#wish = {
      severities: spec.severities ?? severities,
      repeatMs: durationMs(spec.repeat ?? DEFAULT_REPEAT),
    }
    this.#known = known
    const { clock, random, log } = options
    this.#ticker = new Ticker({
      clock,
      random,
      intervalMs: LOOK_MS,
      turn: () => this.#tell(),
      onError: (error) => log.error('alerts cannot be told', { receiver: name, error }),
    })
  }

  get known(): Known {
    return this.#known
  }

  get trouble(): Trouble | undefined {
    return this.#failures < FAILURES_MAX ? undefined : { labels: { receiver: this.#name }, why: this.#why }
  }

  wake(): void {
    this.#ticker.wake()
  }

  async close(): Promise<void> {
    await this.#ticker.close()
    this.#receiver.close()
  }

  async #tell(): Promise<void> {
    const { clock, alerts, consoleUrl, count, onKnown } = this.#options
    if (clock.monotonicMs() < this.#nextMs) return
    for (const telling of tellingsFor(alerts(), this.#known, this.#wish, clock.now())) {
      if (this.#ticker.isClosing) return
      const message = messageOf({ receiver: this.#name, consoleUrl, ...telling })
      // The alerts' states, and of what is told again when it was told before.
      const attemptOf = JSON.stringify([
        message.groupKey,
        message.alerts.map(({ fingerprint, status, startsAt }) => [fingerprint, status, startsAt]),
        this.#known.groups[telling.rule],
      ])
      try {
        await this.#receiver.send(message, attemptOf)
      } catch (error) {
        this.#failed(error)
        return
      }
      count(this.#name, 'sent').add()
      this.#failures = 0
      this.#known = afterTelling(this.#known, telling, alerts(), clock.now())
      onKnown()
    }
  }

  #failed(error: unknown): void {
    const { clock, random, log, count } = this.#options
    count(this.#name, 'failed').add()
    this.#why = error instanceof Error ? error.message : String(error)
    const waitMs = WAIT_MS_MIN + fullJitterMs(random, this.#failures, BACKOFF)
    this.#nextMs = clock.monotonicMs() + waitMs
    this.#failures++
    log.warn('alerts could not be told', { receiver: this.#name, failures: this.#failures, waitMs, error })
  }
}

/** Tells all receivers. */
export class Notifier {
  readonly #options: NotifierOptions
  readonly #lines = new Map<string, Line>()
  /** Of those that were there, and may come back. */
  readonly #known: Map<string, Known>

  constructor(options: NotifierOptions, known: Readonly<Record<string, Known>>) {
    this.#options = options
    this.#known = new Map(Object.entries(known))
  }

  /** What each receiver knows, by its name. */
  get known(): Readonly<Record<string, Known>> {
    return Object.fromEntries([...this.#lines].map(([name, { known }]) => [name, known]))
  }

  /** Receivers that take nothing. */
  get troubles(): readonly Trouble[] {
    return [...this.#lines.values()].flatMap(({ trouble }) => trouble ?? [])
  }

  /** From now on there are these. Those of which nothing changed go on. */
  async replace(specs: Readonly<Record<string, ReceiverSpec>>): Promise<void> {
    for (const [name, line] of this.#lines) {
      const spec = specs[name]
      if (spec !== undefined && line.spec === JSON.stringify(spec)) continue
      this.#lines.delete(name)
      await line.close()
      this.#known.set(name, line.known)
    }
    for (const [name, spec] of Object.entries(specs)) {
      if (this.#lines.has(name)) continue
      const known = this.#known.get(name) ?? { sinceMs: this.#options.clock.now(), alerts: {}, groups: {} }
      this.#lines.set(name, new Line(name, spec, known, this.#options))
    }
    // A name that nobody has any more is a new receiver when it comes back.
    this.#known.clear()
  }

  /** Something may have changed. */
  wake(): void {
    for (const line of this.#lines.values()) line.wake()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#lines.values()].map((line) => line.close()))
  }
}
