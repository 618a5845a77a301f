/**
 * A kept operation for tests: on a clock that stands still, before a service that answers when a test says so.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { anyone } from '@flotilla/core/access'
import { readTagTemplate } from '@flotilla/core/cache-tags'
import type { User } from '@flotilla/core/caller'
import { Cancellation } from '@flotilla/core/cancellation'
import type { CallContext } from '@flotilla/core/context'
import { defineContract } from '@flotilla/core/contract'
import { FlotillaError } from '@flotilla/core/error'
import { Metrics } from '@flotilla/core/metrics'
import { query } from '@flotilla/core/operation'
import { seededRandom } from '@flotilla/core/random'
import { Type } from '@flotilla/core/schema'
import { TraceContext } from '@flotilla/core/trace-context'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import { Reply, type Settle } from '@flotilla/core/wire'
import { CacheMetrics } from './cache-metrics.ts'
import { KeptRoute } from './kept-route.ts'
import type { Outcome } from './outcome.ts'
import { Store } from './store.ts'
import { readWishes } from './wishes.ts'

/** Times to live of its answers. */
export const TTL_MS = 10_000
/** How long each waits for it. */
export const TIMEOUT_MS = 3_000

const { operations } = defineContract({
  name: 'shelves',
  version: 1,
  summary: 'Shelves.',
  operations: {
    look: query({
      summary: 'Looks.',
      access: anyone,
      http: 'GET /shelves/{key}',
      input: Type.Object({ key: Type.String() }),
      output: Type.Object({ key: Type.String(), value: Type.Union([Type.Integer(), Type.Null()]) }),
      cache: {
        maxAgeS: TTL_MS / 1_000,
        scope: 'everyone',
        exceptRoles: ['admin'],
        tags: ['key:{output.key}'],
        partialIfNull: ['value'],
      },
    }),
  },
})

/** A call that the service has got. */
export interface TestCall {
  readonly key: string
  readonly context: CallContext
  readonly timeoutMs: number | undefined
  answer(value: number | null): void
  fail(error: FlotillaError): void
}

/** A request. */
export interface TestAsk {
  readonly cacheControl?: string
  readonly client?: Cancellation
}

/** Somebody. */
export function personOf(...roles: string[]): User {
  return { id: 'p', roles, scopes: [], tier: 'free' }
}

/** What an answer tells. */
export function valueIn(outcome: Outcome | undefined): { readonly key: string; readonly value: number } {
  assert.ok(outcome !== undefined && outcome.error === undefined)
  return JSON.parse(Buffer.from(outcome.entry.body).toString('utf8'))
}

/** The operation and what stands around it. */
export function openKeptRoute(seed = 1, scope: 'public' | 'everyone' = 'everyone') {
  const clock = new VirtualClock()
  const random = seededRandom(seed)
  const store = new Store(1_000_000)
  const calls: TestCall[] = []
  let isCurrent = true
  const { look } = operations
  const route = new KeptRoute({
    operation: look,
    cache: { ...(look.cache as NonNullable<typeof look.cache>), scope },
    templates: (look.cache?.tags ?? []).flatMap((text) => readTagTemplate(text) ?? []),
    passOn: {
      call(input, context, { timeoutMs }, settle: Settle) {
        const { key } = input as { key: string }
        const nowMs = (): number => clock.monotonicMs()
        calls.push({
          key,
          context,
          timeoutMs,
          answer: (value) => settle(Reply.of({ key, value }, nowMs())),
          fail: (error) => settle(Reply.failed(error, nowMs())),
        })
      },
    },
    store,
    clock,
    random,
    metrics: new CacheMetrics(new Metrics()).of(look.id),
    isCurrent: () => isCurrent,
  })
  return {
    clock,
    store,
    route,
    calls,
    setCurrent: (now: boolean) => {
      isCurrent = now
    },
    /** What came of it, as soon as something did. */
    ask(key: string, { cacheControl, client = new Cancellation() }: TestAsk = {}): () => Outcome | undefined {
      let outcome: Outcome | undefined
      const asked = {
        key,
        wishes: readWishes(cacheControl),
        input: () => ({ key }),
        client: () => client,
        requestId: undefined,
        trace: TraceContext.start(random, false),
      }
      route.ask(asked, (its) => {
        assert.equal(outcome, undefined, 'nobody is answered twice')
        outcome = its
      })
      return () => outcome
    },
  }
}

/** A service that cannot be reached. */
export const away = new FlotillaError('unavailable', 'It is away.')
