/** Three gateways of one shop, and what they let through together, whatever is tried. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { findFreePort } from '@flotilla/core/free-port'
import { openTestApp, type TestApp } from '@flotilla/core/test-app'
import { app } from './app.ts'
import { auth } from './contracts/auth.ts'
import { catalog } from './contracts/catalog.ts'
import { type Attempt, type Customer, type Evasion, evasions, TARGET } from './evasions.test.ts'

/** Requests a minute. */
const LIMITS = { anonymous: 40, free: 40, strict: 3, address: 45 }
const ATTEMPTS = { anonymous: 54, free: 54, strict: 9, address: 60 }
/** What comes back in so long may be allowed once more: see `limit/rate-limit.ts`. */
const HELD_MS = 3_000

interface Shop {
  readonly opened: TestApp
  readonly ports: readonly number[]
}

async function openShop(t: { after(cleanUp: () => Promise<void>): void }): Promise<Shop> {
  const ports = [await findFreePort(), await findFreePort(), await findFreePort()]
  const [first, ...others] = ports.map((port) => ({ GATEWAY_PORT: String(port) }))
  const opened = await openTestApp(t, {
    app,
    placement: 'frames',
    services: ['registry', 'auth', 'catalog', 'gateway'],
    environment: {
      ...first,
      AUTH_SEALING_KEY: 'a sealing key for the tests',
      GATEWAY_ACCESS_LOG: '/dev/null',
      GATEWAY_TRUSTED_PROXIES: '127.0.0.1',
      GATEWAY_ANONYMOUS_PER_MINUTE: String(LIMITS.anonymous),
      GATEWAY_FREE_PER_MINUTE: String(LIMITS.free),
      GATEWAY_STRICT_PER_MINUTE: String(LIMITS.strict),
      GATEWAY_ADDRESS_PER_MINUTE: String(LIMITS.address),
    },
    more: others.map((environment) => ({ service: 'gateway', environment })),
  })
  return { opened, ports }
}

/** Somebody new. */
async function register({ opened }: Shop, name: string): Promise<Customer> {
  const email = `${name}@shop.test`
  const { user, accessToken, refreshToken } = await opened
    .call(auth)
    .register({ email, name, password: 'a password of the tests' })
  const refreshed = await opened.call(auth).refresh({ refreshToken })
  const its = opened.call(auth, { user: { ...user, scopes: [], tier: 'free' } })
  const scopes = ['catalog:read', 'auth:read']
  const keys = await Promise.all([1, 2, 3].map((key) => its.createApiKey({ name: `key ${key}`, scopes })))
  const { items } = await opened.call(catalog).products({ limit: 1 })
  return {
    email,
    tokens: [accessToken, refreshed.accessToken],
    apiKeys: keys.map(({ key }) => key),
    productId: items[0]?.id ?? '',
  }
}

/**
 * How often gateways decided without the others. On a machine that is busy enough an answer may come too late, and what that allows has laws
 * of its own (`limit/laws.test.ts`).
 */
function allowedAlone({ opened }: Shop, limit: string): number {
  const cell = `flotilla_gateway_limit_decisions_total{limit="${limit}",outcome="allowed_alone"} `
  const lines = opened.hosts.flatMap(({ metrics }) => metrics.toPrometheus().split('\n'))
  const counts = lines.filter((line) => line.startsWith(cell)).map((line) => Number(line.slice(cell.length)))
  return counts.reduce((sum, count) => sum + count, 0)
}

/** How often a request was let through: it got an answer that is more than "not so" or "too many". */
async function send(port: number, attempt: Attempt, address: string): Promise<number> {
  const { method = 'GET', target = TARGET, version = '1.1', times = 1 } = attempt
  const { host = 'shop.test', from = address, fields = [], body = '' } = attempt
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  const lines = [
    `${method} ${target} HTTP/${version}`,
    `Host: ${host}`,
    `X-Forwarded-For: ${from}`,
    ...fields,
  ]
  const one = (...last: string[]): string => `${[...lines, ...length, ...last].join('\r\n')}\r\n\r\n${body}`
  const answers = await new Promise<string>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
    socket.write(one().repeat(times - 1) + one('Connection: close'))
  })
  const heads = answers.split(/(?=HTTP\/1\.1 \d{3} )/).map((answer) => answer.split('\r\n\r\n', 1)[0] ?? '')
  // Who is refused, and has not waited for it, hears no more.
  assert.ok(heads.length === times || /^connection: close$/im.test(heads.at(-1) ?? ''), answers)
  return heads.filter((head) => !/^HTTP\/1\.1 400 /.test(head) && !/^ratelimit:/im.test(head)).length
}

describe('Three gateways', () => {
  const cleanUps: (() => Promise<void>)[] = []
  let shop: Shop
  let somebody: Customer
  before(async () => {
    shop = await openShop({ after: (cleanUp) => cleanUps.unshift(cleanUp) })
    somebody = await register(shop, 'adam')
  })
  after(async () => {
    for (const cleanUp of cleanUps) await cleanUp()
  })

  /** Tries it, at all gateways at once; gives how often it was let through, and how often it may have been. */
  async function tryIt({ limit, attempt, needsCustomer }: Evasion, index: number) {
    const customer = needsCustomer ? await register(shop, `adam-${index}`) : somebody
    const fromMs = systemClock.monotonicMs()
    const aloneBefore = allowedAlone(shop, limit)
    const sent = Array.from({ length: ATTEMPTS[limit] }, (_, n) =>
      send(shop.ports[n % 3] as number, attempt(n, customer), `203.0.113.${index}`),
    )
    const admitted = (await Promise.all(sent)).reduce((sum, count) => sum + count, 0)
    const perMs = LIMITS[limit] / 60_000
    const shared = LIMITS[limit] + (systemClock.monotonicMs() - fromMs + HELD_MS) * perMs
    const allowed = shared + allowedAlone(shop, limit) - aloneBefore
    return { admitted, allowed }
  }

  for (const [index, evasion] of evasions.entries()) {
    it(`let nobody have more by ${evasion.name}`, async () => {
      const { admitted, allowed } = await tryIt(evasion, index)
      assert.ok(admitted <= allowed, `${admitted} of ${ATTEMPTS[evasion.limit]}, at most ${allowed}`)
      if (index === 0) assert.ok(admitted >= LIMITS.anonymous * 0.9, `${admitted}`)
    })
  }

  it('keep clients apart', async () => {
    const admitted = await Promise.all(
      Array.from({ length: 60 }, (_, n) => send(shop.ports[n % 3] as number, {}, `192.0.2.${n}`)),
    )
    assert.deepEqual(admitted, Array(60).fill(1))
  })

  it('let each through its share when the registry, which counts for them, is gone', async () => {
    await shop.opened.hostOf('registry').close()
    const { limit, attempt } = evasions[0] as Evasion
    const aloneBefore = allowedAlone(shop, limit)
    const fromMs = systemClock.monotonicMs()
    const { admitted } = await tryIt({ name: 'alone', limit, attempt }, 99)
    const backMax = 3 + ((systemClock.monotonicMs() - fromMs) * LIMITS[limit]) / 60_000
    assert.equal(allowedAlone(shop, limit) - aloneBefore, admitted)
    // Thirteen each, and what comes back meanwhile.
    assert.ok(admitted >= 39 && admitted <= 39 + backMax, `${admitted}`)
  })
})
