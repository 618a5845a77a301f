/**
 * A rate limit: token buckets by whoever is counted, which all gateways share.
 *
 * A gateway does not ask about every request. It takes a *lease* of a twentieth of the limit (at least one token), decides by itself
 * while that lasts, and gives back what it has not used after a second or two. So, over all gateways and in any span of time, no more is
 * allowed than the burst, what comes back in that time, and what comes back in three seconds: a twentieth of a minute's. From a full
 * bucket on it is exact. A gateway that dies takes its leases with it, so that less is allowed until they have come back with time.
 *
 * What is asked for about a key:
 *
 * - its lease has tokens: one is taken, without waiting and without looking at the clock;
 * - the last lease was smaller than what was wanted: no, until a token is there;
 * - else a lease is asked for, one at a time for a key; whoever comes meanwhile waits with the first one, a quarter of a second at the
 *   most, then gets a token of it or is refused;
 * - nobody answers: the gateway decides alone. A limit that keeps things fair then lets each gateway allow its share, the limit divided by
 *   the gateways there are. A strict one, which guards against guessing, lets it allow the same rate without any burst: one now, the
 *   next one after a while.
 *
 * @module
 */
import type { Tokens } from '@flotilla/core/key-value'
import type { Counter } from '@flotilla/core/metrics'
import { type BucketPolicy, type Grant, TokenBucket } from '@flotilla/core/token-bucket'
import { LRUCache } from 'lru-cache'
import type { Sharing } from './sharing.ts'

const LEASES_MAX = 100_000
/** Of the limit, what a gateway takes at a time. */
const LEASE_SHARE = 0.05
const LEASE_TOKENS_MAX = 10_000
/** Requests of a key that wait for its lease. More than a gateway takes connections. */
const WAITING_MAX = 10_000
/** Turns of a second that a lease is held. */
const HELD_TURNS = 2

/** What a limit is. */
export interface RateLimitOptions {
  /** Shown in the `RateLimit` fields. */
  readonly name: string
  /** What tells its buckets from those of other limits, for all gateways. Default the name. */
  readonly id?: string
  /** Requests a minute. */
  readonly perMinute: number
  /** Requests at once. Default as many. */
  readonly burst?: number
  /** True where it guards against guessing. Default false. */
  readonly isStrict?: boolean
  /** Leases kept; the longest unused is given back first. Default 100,000. */
  readonly leasesMax?: number
}

/** The answer to one request. */
export interface Verdict {
  readonly isAllowed: boolean
  /** Whole milliseconds until the next token; 0 when it is allowed. */
  readonly retryAfterMs: number
}

interface Lease {
  tokens: number
  /** In which turn they were taken. */
  turn: number
  /** No other lease is to be had before. */
  emptyUntilMs: number
  /** Those who wait for a lease that was asked for; undefined: none was. */
  waiting: ((verdict: Verdict) => void)[] | undefined
  /** When the bucket that this gateway has for itself is full. */
  aloneFullAtMs: number
}

const allowed: Verdict = { isAllowed: true, retryAfterMs: 0 }

/** One limit, for many keys. */
export class RateLimit {
  readonly name: string
  readonly policy: BucketPolicy
  readonly #id: string
  readonly #isStrict: boolean
  readonly #sharing: Sharing
  readonly #stopSharing: () => void
  readonly #leaseTokens: number
  readonly #leases: LRUCache<string, Lease>
  /** Leases that may have to be given back, by key. */
  readonly #held = new Map<string, Lease>()
  /** Of leases that were forgotten. */
  readonly #left: Tokens[] = []
  readonly #allowed: Counter
  readonly #limited: Counter
  readonly #allowedAlone: Counter
  readonly #limitedAlone: Counter

  constructor(options: RateLimitOptions, sharing: Sharing) {
    const {
      name,
      id = name,
      perMinute,
      burst = perMinute,
      isStrict = false,
      leasesMax = LEASES_MAX,
    } = options
    this.name = name
    this.#id = id
    this.policy = { perMinute, burst }
    this.#isStrict = isStrict
    this.#sharing = sharing
    this.#leaseTokens = Math.min(
      LEASE_TOKENS_MAX,
      Math.max(1, Math.floor(Math.min(perMinute, burst) * LEASE_SHARE)),
    )
    this.#leases = new LRUCache({ max: leasesMax, dispose: (lease, key) => this.#leave(key, lease) })
    this.#stopSharing = sharing.collect((isAll) => this.#rests(isAll))
    this.#allowed = sharing.decisions(name, 'allowed')
    this.#limited = sharing.decisions(name, 'limited')
    this.#allowedAlone = sharing.decisions(name, 'allowed_alone')
    this.#limitedAlone = sharing.decisions(name, 'limited_alone')
  }

  /** Counts one request of `key`: at once wherever that can be said, which it mostly can. */
  take(key: string): Verdict | Promise<Verdict> {
    let lease = this.#leases.get(key)
    if (lease === undefined) {
      lease = { tokens: 0, turn: 0, emptyUntilMs: 0, waiting: undefined, aloneFullAtMs: 0 }
      this.#leases.set(key, lease)
    }
    if (lease.tokens === 0) return this.#takeBeyond(key, lease)
    lease.tokens--
    this.#allowed.add()
    return allowed
  }

  /** Holds no more: what it has left is given back with the next turn. */
  close(): void {
    this.#stopSharing()
  }

  /** The `RateLimit-Policy` field. */
  get policyField(): string {
    return `"${this.name}";q=${this.policy.burst};w=60`
  }

  /**
   * The `RateLimit` field of a refusal.
   *
   * @source https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
   */
  field({ retryAfterMs }: Verdict): string {
    return `"${this.name}";r=0;t=${Math.ceil(retryAfterMs / 1000)}`
  }

  #takeBeyond(key: string, lease: Lease): Verdict | Promise<Verdict> {
    if (lease.waiting !== undefined) return this.#wait(lease.waiting)
    const nowMs = this.#sharing.clock.monotonicMs()
    if (nowMs < lease.emptyUntilMs) return this.#refuse(lease.emptyUntilMs - nowMs)
    if (!this.#sharing.mayAsk(nowMs)) return this.#decideAlone(lease, nowMs)
    lease.waiting = []
    const verdict = this.#wait(lease.waiting)
    void this.#renew(key, lease, lease.waiting)
    return verdict
  }

  #wait(waiting: ((verdict: Verdict) => void)[]): Verdict | Promise<Verdict> {
    if (waiting.length >= WAITING_MAX) return this.#refuse(1_000)
    return new Promise((resolve) => waiting.push(resolve))
  }

  /** Asks until nobody waits. */
  async #renew(key: string, lease: Lease, waiting: ((verdict: Verdict) => void)[]): Promise<void> {
    while (waiting.length > 0) {
      const count = Math.max(this.#leaseTokens, waiting.length)
      const grant = await this.#sharing.take(this.#tokens(key, count))
      const nowMs = this.#sharing.clock.monotonicMs()
      if (grant === undefined) {
        for (const settle of waiting.splice(0)) settle(this.#decideAlone(lease, nowMs))
      } else this.#share(lease, waiting, grant, grant.taken < count, nowMs)
    }
    lease.waiting = undefined
    if (lease.tokens === 0) return
    if (this.#leases.peek(key) === lease) this.#held.set(key, lease)
    else this.#leave(key, lease)
  }

  /** Gives those who wait what there is. */
  #share(
    lease: Lease,
    waiting: ((verdict: Verdict) => void)[],
    { taken, retryAfterMs }: Grant,
    isEmpty: boolean,
    nowMs: number,
  ): void {
    lease.turn = this.#sharing.turn
    const served = waiting.splice(0, taken)
    lease.tokens = taken - served.length
    this.#allowed.add(served.length)
    for (const settle of served) settle(allowed)
    if (!isEmpty) return
    lease.emptyUntilMs = nowMs + retryAfterMs
    for (const settle of waiting.splice(0)) settle(this.#refuse(retryAfterMs))
  }

  #decideAlone(lease: Lease, nowMs: number): Verdict {
    const { instances } = this.#sharing
    const perMinute = this.policy.perMinute / instances
    const burst = this.#isStrict ? 1 : Math.max(1, Math.floor(this.policy.burst / instances))
    const bucket = new TokenBucket({ perMinute, burst }, lease.aloneFullAtMs)
    const { taken, retryAfterMs } = bucket.take(nowMs)
    lease.aloneFullAtMs = bucket.fullAtMs
    if (taken === 0) {
      this.#limitedAlone.add()
      return { isAllowed: false, retryAfterMs }
    }
    this.#allowedAlone.add()
    return allowed
  }

  #refuse(retryAfterMs: number): Verdict {
    this.#limited.add()
    return { isAllowed: false, retryAfterMs: Math.ceil(retryAfterMs) }
  }

  /** Takes out of the leases what has been held for its time, or all. */
  #rests(isAll: boolean): readonly Tokens[] {
    const rests = this.#left.splice(0)
    for (const [key, lease] of this.#held) {
      if (lease.tokens > 0 && !isAll && this.#sharing.turn - lease.turn < HELD_TURNS) continue
      this.#held.delete(key)
      if (lease.tokens > 0) rests.push(this.#tokens(key, lease.tokens))
      lease.tokens = 0
    }
    return rests
  }

  /** The lease is forgotten. */
  #leave(key: string, lease: Lease): void {
    this.#held.delete(key)
    if (lease.tokens > 0) this.#left.push(this.#tokens(key, lease.tokens))
    lease.tokens = 0
  }

  #tokens(key: string, count: number): Tokens {
    return { key: `${this.#id} ${key}`, policy: this.policy, count }
  }
}
