/**
 * The key-value port in Redis 6 or newer, for systems that have one anyway: it goes on when the registry starts anew.
 *
 * A bucket is one key, the time at which it will be full, which is also when the key expires. What is done to it is a script, which Redis
 * runs in one step and by its own clock.
 *
 * @module
 */
import { Redis } from 'ioredis'
import { FlotillaError } from '../kernel/error.ts'
import type { Grant } from '../resilience/token-bucket.ts'
import { KEY_VALUE_MS_MAX, type KeyValue, type Tokens } from './key-value.ts'

/** A lost connection is tried again this often. */
const RECONNECT_MS = 500

// The arithmetic is that of TokenBucket. Numbers of milliseconds since 1970 have no more than three digits behind the point, hence
// the thousandths of a token.
const COMMON = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local full = tonumber(redis.call('GET', KEYS[1]) or now)
local perMs, burst, count = ARGV[1] / 60000, tonumber(ARGV[2]), tonumber(ARGV[3])
local function keep(fullAt)
  if fullAt <= now then redis.call('DEL', KEYS[1])
  else redis.call('SET', KEYS[1], string.format('%.17g', fullAt), 'PX', math.ceil(fullAt - now)) end
end`

const TAKE = `${COMMON}
full = math.max(full, now)
local tokens = burst - (full - now) * perMs
local taken = math.max(0, math.min(count, math.floor(tokens + 0.001)))
keep(full + taken / perMs)
if taken == count then return { taken, 0 } end
return { taken, math.ceil((0.999 - (tokens - taken)) / perMs) }`

const GIVE_BACK = `${COMMON}
keep(full - count / perMs)`

/** A connection to Redis. */
export interface RedisConnection {
  /** Values whose names begin with `prefix`. */
  keyValue(prefix: string): KeyValue
  close(): Promise<void>
}

/** Connects to `url` when it is first asked, and again and again if need be; until it has, calls fail. */
export function openRedis(url: string): RedisConnection {
  const redis = new Redis(url, {
    lazyConnect: true,
    commandTimeout: KEY_VALUE_MS_MAX,
    connectTimeout: KEY_VALUE_MS_MAX,
    maxRetriesPerRequest: 0,
    // What was taken may be taken again, and would be for nobody.
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => RECONNECT_MS,
  })
  // Who calls hears of it.
  redis.on('error', () => {})
  return {
    keyValue: (prefix) => new RedisKeyValue(redis, prefix),
    close: async () => redis.disconnect(),
  }
}

class RedisKeyValue implements KeyValue {
  readonly #redis: Redis
  readonly #prefix: string

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis
    this.#prefix = prefix
  }

  async take(wish: Tokens): Promise<Grant> {
    const [taken, retryAfterMs] = (await asked(this.#run(TAKE, wish))) as [number, number]
    return { taken, retryAfterMs }
  }

  async giveBack(rests: readonly Tokens[]): Promise<void> {
    await asked(Promise.all(rests.map((rest) => this.#run(GIVE_BACK, rest))))
  }

  #run(script: string, { key, policy, count }: Tokens): Promise<unknown> {
    const { perMinute, burst } = policy
    return this.#redis.eval(script, 1, this.#prefix + key, perMinute, burst, count)
  }
}

/** @throws FlotillaError `unavailable` when Redis does not answer, or badly. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (cause) {
    throw new FlotillaError('unavailable', 'Redis cannot be asked.', { cause })
  }
}
