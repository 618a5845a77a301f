/**
 * The cache of a gateway: answers of operations whose contracts let it keep them, forgotten when their time is over, when a command
 * that passed by has changed them, and when an event says so.
 *
 * @module
 */
import { readTagTemplate, type TagTemplate, tagsOf } from '@flotilla/core/cache-tags'
import type { Envelope } from '@flotilla/core/envelope'
import type { Operation } from '@flotilla/core/operation'
import type { PassOn, ServiceRuntime } from '@flotilla/core/service'
import type { Reply } from '@flotilla/core/wire'
import { CacheMetrics, type RouteMetrics } from './cache-metrics.ts'
import { EventFollower } from './event-follower.ts'
import { changedBy, type Invalidation } from './invalidation.ts'
import { KeptRoute, operationTag } from './kept-route.ts'
import { Store } from './store.ts'

/** What it takes. */
export interface ResponseCacheOptions {
  readonly runtime: Pick<ServiceRuntime, 'clock' | 'random' | 'metrics' | 'log' | 'closing' | 'eventLog'>
  /** Memory for answers; 0: nothing is kept. */
  readonly bytesMax: number
  readonly invalidations: readonly Invalidation[]
  /** Of the event by which operators have answers forgotten. Absent: they do not. */
  readonly purgeTopic?: string | undefined
}

/** What an operator wants forgotten: all that is named. */
export interface Purge {
  readonly tags?: readonly string[]
  /** Ids, such as `catalog.products`. */
  readonly operations?: readonly string[]
  readonly isEverything?: boolean
}

/** Tells the cache of a command that ended, or may have had its effect. */
export type OnCommand = (input: unknown, reply: Reply) => void

/** The cache. */
export class ResponseCache {
  readonly #options: ResponseCacheOptions
  readonly #store: Store
  readonly #metrics: CacheMetrics
  readonly #routes = new Map<string, RouteMetrics>()
  readonly #follower: EventFollower | undefined

  /** Opens it; follows the event log until the service closes, if events change what it keeps. */
  constructor(options: ResponseCacheOptions) {
    const { runtime, bytesMax, invalidations, purgeTopic } = options
    const { metrics, closing, eventLog, clock, log } = runtime
    this.#options = options
    this.#metrics = new CacheMetrics(metrics)
    this.#store = new Store(Math.max(1, bytesMax), ({ key }) =>
      this.#routes.get(key.split('\u0000', 1)[0] as string)?.evicted.add(),
    )
    const topics = invalidations.map(({ type }) => type.id)
    if (purgeTopic !== undefined) topics.push(purgeTopic)
    if (bytesMax > 0 && topics.length > 0 && eventLog !== undefined) {
      const follower = new EventFollower({
        eventLog,
        topics: [...new Set(topics)],
        clock,
        log,
        onEvent: (event) => this.#heard(event),
        onGap: () => this.#metrics.forgotten.add(this.#store.allChanged()),
      })
      closing.defer('what changes the cache', () => follower.close())
      this.#follower = follower
    }
    this.#metrics.show(() => ({
      bytes: this.#store.bytes,
      count: this.#store.count,
      isCurrent: this.#isCurrent(),
    }))
  }

  /** What keeps the answers of `operation`; undefined when they are not to be kept here. */
  route(operation: Operation, passOn: PassOn): KeptRoute | undefined {
    const { cache, rest, kind, access, id } = operation
    const { runtime, bytesMax } = this.#options
    if (bytesMax === 0 || cache?.tags === undefined || rest === undefined || kind !== 'query')
      return undefined
    // A contract that says otherwise does not load; what is kept for everybody must not depend on that.
    if (access.kind !== 'anyone' || cache.scope === 'private') return undefined
    const metrics = this.#metrics.of(id)
    this.#routes.set(id, metrics)
    return new KeptRoute({
      operation,
      cache,
      templates: templatesOf(cache.tags),
      passOn,
      store: this.#store,
      clock: runtime.clock,
      random: runtime.random,
      metrics,
      isCurrent: () => this.#isCurrent(),
    })
  }

  /** What is to be told of commands; undefined when they change nothing that is kept. */
  onCommand({ changes, kind }: Operation): OnCommand | undefined {
    if (kind !== 'command' || changes.length === 0) return undefined
    const templates = templatesOf(changes)
    const needsOutput = templates.some(({ from }) => from === 'output')
    return (input, reply) => {
      if (reply.error?.executed === 'no') return
      const output = needsOutput && reply.error === undefined ? reply.value : {}
      this.changed(tagsOf(templates, input, output))
    }
  }

  /** Forgets what tells of these. */
  changed(tags: readonly string[]): void {
    this.#metrics.forgotten.add(this.#store.changed(tags))
  }

  /** Forgets what an operator wants forgotten. */
  purge({ tags = [], operations = [], isEverything = false }: Purge): void {
    if (isEverything) this.#metrics.forgotten.add(this.#store.allChanged())
    else this.changed([...tags, ...operations.map(operationTag)])
  }

  #isCurrent(): boolean {
    return this.#follower?.isCurrent ?? this.#options.invalidations.length === 0
  }

  #heard(event: Envelope): void {
    const { invalidations, runtime, purgeTopic } = this.#options
    // Gateways speak to gateways: what the sender's contract let through is as it should be.
    if (event.type === purgeTopic) return this.purge(event.data as Purge)
    const tags = changedBy(invalidations, event)
    if (tags !== undefined) return this.changed(tags)
    runtime.log.warn('an event cannot be read; everything that is kept is forgotten', {
      event: event.id,
      type: event.type,
    })
    this.#metrics.forgotten.add(this.#store.allChanged())
  }
}

function templatesOf(texts: readonly string[]): TagTemplate[] {
  return texts.map(readTagTemplate).filter((template) => template !== undefined)
}
