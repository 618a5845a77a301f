/**
 * An operation whose answers are kept: what a request gets, and who asks the service for it.
 *
 * 1. Kept and fresh: that.
 * 2. Kept and stale: that, and a new one is fetched behind it.
 * 3. Else a service is asked, once for all who want the same (`flight.ts`), as by nobody in particular: whoever waits, the answer
 *    cannot hold what is only theirs.
 * 4. What comes is kept, unless something it tells of has changed since it was asked for. Then it is still good for those who had
 *    asked before the change; for those who came after it, the service is asked again.
 * 5. A failure is never kept. Everybody who waits gets it, or the stale answer if there is one and the failure is ours.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { hasNull, type TagTemplate, tagsOf } from '@flotilla/core/cache-tags'
import { anonymous, type User } from '@flotilla/core/caller'
import type { Clock } from '@flotilla/core/clock'
import { codes } from '@flotilla/core/code'
import { FlotillaError } from '@flotilla/core/error'
import type { Cacheability, Operation } from '@flotilla/core/operation'
import type { Random } from '@flotilla/core/random'
import { entityTag } from '@flotilla/core/rest'
import type { PassOn } from '@flotilla/core/service'
import type { Reply } from '@flotilla/core/wire'
import type { RouteMetrics } from './cache-metrics.ts'
import { type Entry, lifetimeOf } from './entry.ts'
import { type Asked, Flight, Waiter } from './flight.ts'
import { ageOf, failedStatus, type How, hitStatus, missStatus, type Outcome } from './outcome.ts'
import type { Store } from './store.ts'

/** After a failure, the stale answer serves for so long before a service is asked again. */
const RETRY_MS = 1_000
const ETAG_CHARS = 22

/** What it takes. */
export interface KeptRouteOptions {
  readonly operation: Operation
  readonly cache: Cacheability
  readonly templates: readonly TagTemplate[]
  readonly passOn: Pick<PassOn, 'call'>
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly metrics: RouteMetrics
  /** False while changes may go unheard: then nothing that has tags is given out. */
  readonly isCurrent: () => boolean
}

/** The tag of everything an operation answers; no template can be it. */
export function operationTag(operation: string): string {
  return `#${operation}`
}

/** The operation. */
export class KeptRoute {
  readonly #options: KeptRouteOptions
  readonly #flights = new Map<string, Flight>()
  readonly #isTagged: boolean

  constructor(options: KeptRouteOptions) {
    this.#options = options
    this.#isTagged = options.templates.length > 0
  }

  /** Whether this caller gets what is kept; else it is as if there were no cache, which is counted here. */
  serves(user: User | undefined): boolean {
    const isServed = this.#isFor(user) && this.#isUsable()
    if (!isServed) this.#options.metrics.asked.bypass.add()
    return isServed
  }

  #isFor(user: User | undefined): boolean {
    if (user === undefined) return true
    const { scope, exceptRoles } = this.#options.cache
    return scope === 'everyone' && !exceptRoles?.some((role) => user.roles.includes(role))
  }

  #isUsable(): boolean {
    return !this.#isTagged || this.#options.isCurrent()
  }

  /** @throws FlotillaError when what is asked cannot be read. */
  ask(asked: Asked, settle: (outcome: Outcome) => void): void {
    const { store, clock, operation } = this.#options
    const nowMs = clock.monotonicMs()
    const entry = store.get(asked.key)
    const how = entry && this.#howGood(entry, asked, nowMs)
    if (entry !== undefined && how !== undefined) {
      this.#options.metrics.asked[how].add()
      settle({ how, status: hitStatus(entry, nowMs), entry, ageS: ageOf(entry, nowMs) })
      if (how === 'stale' && nowMs >= entry.retryAtMs && !this.#flights.has(asked.key))
        this.#launch(this.#open(asked, nowMs, true), asked)
      return
    }
    if (asked.wishes.isOnlyIfKept) throw notKept()
    const client = asked.client()
    const boarding = this.#flights.get(asked.key)
    const flight = boarding ?? this.#open(asked, nowMs, false)
    const waiter = new Waiter(asked, settle)
    flight.board(waiter, store.generation, boarding !== undefined)
    const { timeoutMs } = operation
    waiter.timer = clock.schedule(timeoutMs, () => this.#leave(waiter, tooLate(operation)))
    client.listen({ canceled: (error) => this.#leave(waiter, error) })
    if (boarding === undefined) this.#launch(flight, asked)
  }

  #howGood(entry: Entry, { wishes }: Asked, nowMs: number): 'hit' | 'stale' | undefined {
    if (nowMs - entry.bornMs > wishes.ageMsMax) return undefined
    if (nowMs < entry.freshUntilMs) return 'hit'
    // Who says how old it may be does not want what is stale.
    if (wishes.ageMsMax !== Number.POSITIVE_INFINITY) return undefined
    if (nowMs < entry.staleUntilMs) return 'stale'
    return nowMs < entry.retryAtMs && nowMs < entry.errorUntilMs ? 'stale' : undefined
  }

  #leave(waiter: Waiter, error: FlotillaError): void {
    if (waiter.isSettled) return
    const { flight } = waiter
    flight?.leave(waiter)
    if (flight?.isAbandoned) this.#forget(flight)
    this.#giveUp(waiter, error, this.#lastResort(waiter.asked.key, error))
  }

  #open({ key, input }: Asked, nowMs: number, isBackground: boolean): Flight {
    const flight = new Flight(key, input(), nowMs, this.#options.store.generation, isBackground)
    this.#flights.set(key, flight)
    return flight
  }

  #forget(flight: Flight): void {
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key)
  }

  #launch(flight: Flight, { requestId, trace }: Asked): void {
    if (flight.isAbandoned) return this.#forget(flight)
    const { operation, passOn } = this.#options
    // The last one to board may come when the first one is about to give up.
    const timeoutMs = 2 * operation.timeoutMs
    const context = {
      caller: anonymous,
      deadlineMs: flight.startMs + timeoutMs,
      requestId,
      trace,
      criticality: operation.criticality,
      cancellation: flight.cancellation,
    }
    passOn.call(flight.input, context, { timeoutMs }, (reply) => this.#landed(flight, reply))
  }

  #landed(flight: Flight, reply: Reply): void {
    this.#forget(flight)
    if (reply.error !== undefined) return this.#failed(flight, reply.error)
    const { store, metrics } = this.#options
    const { entry, isWhole } = this.#entryOf(flight, reply)
    const isOvertaken = store.latestChange(entry.tags) > flight.generation
    const isStored = flight.mayStore && isWhole && store.put(entry, flight.generation)
    if (isStored) metrics.stored.add()
    if (isOvertaken) metrics.overtaken.add()
    const nowMs = this.#options.clock.monotonicMs()
    for (const waiter of flight.unload()) {
      // Between its boarding and the start, something changed, which may have been what this answer tells of.
      if (isOvertaken && waiter.generation > flight.generation) this.#again(waiter)
      else {
        const status = missStatus(isStored, waiter.isCollapsed)
        this.#settle(waiter, { how: howOf(waiter), status, entry, ageS: ageOf(entry, nowMs) })
      }
    }
  }

  /** For who came after a change that may have overtaken the flight. Once at the most: the next one starts later than they came. */
  #again(waiter: Waiter): void {
    const { store, clock } = this.#options
    const boarding = this.#flights.get(waiter.asked.key)
    const flight = boarding ?? this.#open(waiter.asked, clock.monotonicMs(), false)
    flight.board(waiter, store.generation, boarding !== undefined)
    if (boarding === undefined) this.#launch(flight, waiter.asked)
  }

  #failed(flight: Flight, error: FlotillaError): void {
    // The service has spoken: what it said before holds no more.
    if (!isOurs(error) && error.code !== 'canceled') this.#options.store.delete(flight.key)
    const entry = this.#lastResort(flight.key, error)
    for (const waiter of flight.unload()) this.#giveUp(waiter, error, entry)
  }

  /** What serves when a service could not answer. */
  #lastResort(key: string, error: FlotillaError): Entry | undefined {
    const { store, clock } = this.#options
    const nowMs = clock.monotonicMs()
    const entry = isOurs(error) && this.#isUsable() ? store.get(key) : undefined
    if (entry === undefined || nowMs >= entry.errorUntilMs) return undefined
    entry.retryAtMs = nowMs + RETRY_MS
    return entry
  }

  #giveUp(waiter: Waiter, error: FlotillaError, entry: Entry | undefined): void {
    const nowMs = this.#options.clock.monotonicMs()
    const takesStale = waiter.asked.wishes.ageMsMax === Number.POSITIVE_INFINITY
    this.#settle(
      waiter,
      entry !== undefined && takesStale
        ? { how: 'stale', status: failedStatus(entry, nowMs, error), entry, ageS: ageOf(entry, nowMs) }
        : { how: howOf(waiter), status: missStatus(false, waiter.isCollapsed), error },
    )
  }

  #settle(waiter: Waiter, outcome: Outcome): void {
    this.#options.metrics.asked[outcome.how].add()
    waiter.settle(outcome)
  }

  #entryOf(
    { key, input, startMs }: Flight,
    reply: Reply,
  ): { readonly entry: Entry; readonly isWhole: boolean } {
    const { operation, cache, templates, random } = this.#options
    const { maxAgeS, partialIfNull = [] } = cache
    const body = bytesOf(reply)
    const version = operation.rest?.etag
    const isTaggedByOutput = templates.some(({ from }) => from === 'output')
    const isLookedInto = version !== undefined || isTaggedByOutput || partialIfNull.length > 0
    const output = (isLookedInto ? reply.value : {}) as Readonly<Record<string, unknown>>
    const entry = {
      key,
      body,
      etag: version === undefined ? checkOf(body) : entityTag(output[version], body),
      tags: [operationTag(operation.id), ...tagsOf(templates, input, output)],
      ...lifetimeOf(startMs, maxAgeS * 1_000, random),
      retryAtMs: 0,
    }
    return { entry, isWhole: !hasNull(output, partialIfNull) }
  }
}

/** A failure of ours, and no answer. */
function isOurs({ status, code }: FlotillaError): boolean {
  return status >= 500 || codes[code].isTransient
}

function howOf({ isCollapsed }: Waiter): How {
  return isCollapsed ? 'collapsed' : 'miss'
}

/** In memory of their own: what comes over a wire, and small buffers, are parts of larger ones that would be kept along. */
function bytesOf({ json, output }: Reply): Uint8Array {
  if (json !== undefined) return Uint8Array.from(json)
  const text = JSON.stringify(output)
  const body = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  body.write(text)
  return body
}

function checkOf(body: Uint8Array): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, ETAG_CHARS)}"`
}

function tooLate({ id, timeoutMs }: Operation): FlotillaError {
  return new FlotillaError('deadline_exceeded', `${id} took longer than ${timeoutMs} ms.`)
}

/** @source RFC 9111, 5.2.1.7: 504 */
function notKept(): FlotillaError {
  return new FlotillaError('failed_precondition', 'This is not kept here right now.', {
    executed: 'no',
    status: 504,
  })
}
