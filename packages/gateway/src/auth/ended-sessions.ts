/**
 * Sessions of the app's own users that have ended while access tokens of theirs would still be good; and API keys, which gateways
 * remember for a while.
 *
 * Somebody logs out, changes the password, is blocked: from then on no gateway may take the tokens of those sessions any more, and a
 * token is not asked about when it is shown. Open streams end, too (`edge/open-streams.ts`). So every gateway asks once a second which sessions have ended since it last asked, and
 * remembers each until all its tokens have run out. With that a session is over everywhere about a second after it ended, and
 * within five also when one answer is lost.
 *
 * A gateway that has just started takes no token before it has heard of all of them: it cannot check one before it has the issuer's
 * keys either, and both come from the same place. Later, while nobody answers, it goes on with what it knows: a metric and one line of
 * the log say so.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import type { Logger } from '@flotilla/core/log'
import type { Metrics } from '@flotilla/core/metrics'

/** Some of the sessions and API keys that have ended, in their order. */
export interface EndedSessionsPage {
  /** As in the claim `sid` of their tokens; an API key by its SHA-256 in base64url. */
  readonly sessionIds: readonly string[]
  /** Where to go on: of the last of them, or, when there is none, of the last that ever ended. */
  readonly position: number
}

/** What it takes. */
export interface EndedSessionsOptions {
  /** At most `limit` of those that ended after a position; 0: from the first whose tokens may still live. */
  readonly fetch: (after: number, limit: number) => Promise<EndedSessionsPage>
  /** Some more are known to have ended. Default: nothing follows. */
  readonly onEnded?: () => void
  readonly clock: Clock
  readonly log: Pick<Logger, 'info' | 'warn'>
  readonly metrics: Metrics
}

/** How often to ask: `refresh` is to be called so often. */
export const ASK_MS = 1_000

/** Longer than any token lives, and clocks go wrong. */
const REMEMBERED_MS = 20 * 60_000
const PAGE_SIZE_COUNT = 1_000
/** The next turn goes on. */
const PAGES_MAX = 100
/** About 60 MB; more than 400 ends a second. Beyond it the oldest are forgotten, whose tokens have the least time left. */
const SESSIONS_MAX = 500_000

/** Which sessions have ended. */
export class EndedSessions {
  readonly #options: EndedSessionsOptions
  /** When to forget each; the first that were heard of stand first. */
  readonly #forgetMs = new Map<string, number>()
  readonly #stale: { set(value: number): void }
  readonly #forgottenEarly: { add(): void }
  #position = 0
  #hasHeardAll = false
  #isStale = false
  #asking: Promise<void> | undefined

  constructor(options: EndedSessionsOptions) {
    this.#options = options
    const { metrics } = options
    this.#stale = metrics
      .gauge('flotilla_gateway_sessions_stale', '1 while nobody tells which sessions have ended.')
      .with()
    this.#forgottenEarly = metrics
      .counter(
        'flotilla_gateway_sessions_forgotten_total',
        'Ended sessions that were forgotten while tokens of theirs may still be good, because there were too many.',
        [],
      )
      .with()
  }

  /** Whether a session is known to have ended. */
  has(sessionId: string): boolean {
    return this.#forgetMs.has(sessionId)
  }

  /** Whether the end of an API key was heard of since a monotonic time: it may have been given back before. */
  hasSince(keyHash: string, sinceMs: number): boolean {
    const forgetMs = this.#forgetMs.get(keyHash)
    return forgetMs !== undefined && forgetMs - REMEMBERED_MS >= sinceMs
  }

  /**
   * Resolves when all were heard of that had ended when the gateway started.
   *
   * @throws FlotillaError `unavailable` when nobody tells.
   */
  async ready(): Promise<void> {
    if (this.#hasHeardAll) return
    await this.refresh()
    if (this.#hasHeardAll) return
    throw new FlotillaError('unavailable', 'Logins cannot be checked right now.', { executed: 'no' })
  }

  /** Asks for those that have ended since; never throws. Who comes while somebody asks waits for that answer. */
  refresh(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #ask(): Promise<void> {
    this.#forget()
    try {
      for (let page = 0; page < PAGES_MAX; page++) {
        const { sessionIds, position } = await this.#options.fetch(this.#position, PAGE_SIZE_COUNT)
        this.#position = position
        for (const sessionId of sessionIds) this.#remember(sessionId)
        if (sessionIds.length > 0) this.#options.onEnded?.()
        if (sessionIds.length < PAGE_SIZE_COUNT) {
          this.#hasHeardAll = true
          break
        }
      }
      this.#become(false)
    } catch (error) {
      this.#become(true, error)
    }
  }

  #remember(sessionId: string): void {
    // An API key may end a second time: then it stands last again.
    this.#forgetMs.delete(sessionId)
    this.#forgetMs.set(sessionId, this.#options.clock.monotonicMs() + REMEMBERED_MS)
    if (this.#forgetMs.size <= SESSIONS_MAX) return
    const [oldest = ''] = this.#forgetMs.keys()
    this.#forgetMs.delete(oldest)
    this.#forgottenEarly.add()
  }

  #forget(): void {
    const nowMs = this.#options.clock.monotonicMs()
    for (const [sessionId, forgetMs] of this.#forgetMs) {
      if (forgetMs > nowMs) return
      this.#forgetMs.delete(sessionId)
    }
  }

  #become(isStale: boolean, error?: unknown): void {
    if (this.#isStale === isStale) return
    this.#isStale = isStale
    this.#stale.set(isStale ? 1 : 0)
    const { log } = this.#options
    if (isStale) log.warn('nobody tells which sessions have ended; tokens of those may be taken', { error })
    else log.info('it is known again which sessions have ended')
  }
}
