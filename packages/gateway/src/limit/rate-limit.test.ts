import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TestFleet } from './fleet.test.ts'

const NAME = 'test'

/** How many of `count` requests are allowed, in turn at all gateways. */
async function allowedOf(fleet: TestFleet, count: number, key = 'k'): Promise<number> {
  let allowed = 0
  for (let index = 0; index < count; index++) {
    if (await fleet.ask(index % fleet.gateways.length, key)) allowed++
  }
  return allowed
}

describe('RateLimit', () => {
  it('allows three gateways together what it allows one', async () => {
    for (const perMinute of [1, 10, 33, 1_000]) {
      const fleet = new TestFleet(3, { name: NAME, perMinute })
      assert.equal(await allowedOf(fleet, perMinute * 2), perMinute)
      assert.equal(await fleet.ask(0, 'another'), true)
    }
  })

  it('asks for a twentieth at a time, and says no at once while it knows there is nothing', async () => {
    const fleet = new TestFleet(1, { name: NAME, perMinute: 1_000 })
    assert.equal(await allowedOf(fleet, 2_000), 1_000)
    assert.equal(fleet.asked, 21)
    const verdict = fleet.gateways[0]?.limit.take('k')
    assert.deepEqual(verdict, { isAllowed: false, retryAfterMs: 60 })
    await fleet.clock.advance(60)
    assert.equal(await fleet.ask(0), true)
  })

  it('asks about every request where a twentieth is less than one', async () => {
    const fleet = new TestFleet(3, { name: NAME, perMinute: 10, isStrict: true })
    assert.equal(await allowedOf(fleet, 30), 10)
    assert.equal(fleet.asked, 13)
  })

  it('asks once for all who come at the same time', async () => {
    const fleet = new TestFleet(1, { name: NAME, perMinute: 100 })
    fleet.delaysMs = [100]
    const asks = Array.from({ length: 150 }, () => fleet.ask(0))
    await fleet.clock.advance(200)
    assert.equal((await Promise.all(asks)).filter((isAllowed) => isAllowed).length, 100)
    assert.equal(fleet.asked, 2)
  })

  it('gives back what was not used, after two seconds and when it closes', async () => {
    const fleet = new TestFleet(3, { name: NAME, perMinute: 600 })
    const policy = { perMinute: 600, burst: 600 }
    const left = () => fleet.holder.takeNow({ key: `${NAME} k`, policy, count: 1_000 }).taken
    for (let gateway = 0; gateway < 3; gateway++) await fleet.ask(gateway)
    await fleet.clock.advance(999)
    assert.equal(left(), 600 - 3 * 30 + 9)
    await fleet.clock.advance(1_001)
    // Of the first second a hundredth of a token was left over.
    assert.equal(left(), 3 * 29 + 11)
    await fleet.ask(0)
    assert.equal(left(), 0)
  })

  it('gives back everything when it closes, and forgotten leases', async () => {
    const fleet = new TestFleet(1, { name: NAME, perMinute: 100, leasesMax: 2 })
    const policy = { perMinute: 100, burst: 100 }
    const left = (key: string) => fleet.holder.takeNow({ key: `${NAME} ${key}`, policy, count: 1_000 }).taken
    for (const key of ['forgotten', 'a', 'b']) await fleet.ask(0, key)
    await fleet.gateways[0]?.sharing.giveBack()
    assert.deepEqual([left('forgotten'), left('a'), left('b')], [99, 95, 95])
    await fleet.ask(0, 'kept')
    await fleet.gateways[0]?.sharing.giveBack(true)
    assert.equal(left('kept'), 99)
  })

  it('gives back everything when it is no longer wanted, and is forgotten', async () => {
    const fleet = new TestFleet(1, { name: NAME, perMinute: 100 })
    const policy = { perMinute: 100, burst: 100 }
    const left = (key: string) => fleet.holder.takeNow({ key: `${NAME} ${key}`, policy, count: 1_000 }).taken
    await fleet.ask(0, 'a')
    fleet.gateways[0]?.limit.close()
    await fleet.gateways[0]?.sharing.giveBack()
    assert.equal(left('a'), 99)
    // What is asked of it still is answered, and held by nobody.
    assert.equal(await fleet.ask(0, 'b'), true)
    await fleet.gateways[0]?.sharing.giveBack(true)
    assert.equal(left('b'), 95)
  })

  it('lets nobody have leases at all gateways first, and more than the limit with them later', async () => {
    for (const waitMs of [1_500, 10_000, 30_000]) {
      const fleet = new TestFleet(3, { name: NAME, perMinute: 600 })
      for (let gateway = 0; gateway < 3; gateway++) await fleet.ask(gateway)
      await fleet.clock.advance(waitMs)
      const allowed = await allowedOf(fleet, 700)
      assert.ok(allowed <= 600 + 30, `${allowed} after ${waitMs} ms`)
    }
  })

  it('lets a client that keeps to the limit always pass, whichever gateways it comes to', async () => {
    const fleet = new TestFleet(3, { name: NAME, perMinute: 100 })
    for (let index = 0; index < 400; index++) {
      assert.ok(await fleet.ask((index * 7) % 3), `request ${index}`)
      await fleet.clock.advance(600)
    }
  })

  it('tells of itself in the RateLimit fields', async () => {
    const fleet = new TestFleet(1, { name: 'free', perMinute: 2 })
    const { limit } = fleet.gateways[0] as TestFleet['gateways'][number]
    assert.equal(limit.policyField, '"free";q=2;w=60')
    await allowedOf(fleet, 2)
    assert.equal(limit.field(await limit.take('k')), '"free";r=0;t=30')
  })
})

describe('RateLimit alone', () => {
  it('allows each of four gateways a quarter, and says so once', async () => {
    const fleet = new TestFleet(4, { name: NAME, perMinute: 100 })
    fleet.isAway = true
    assert.equal(await allowedOf(fleet, 400), 100)
    assert.equal(fleet.count('allowed_alone'), 100)
    assert.equal(fleet.count('limited_alone'), 300)
    assert.deepEqual(fleet.lines, Array(4).fill('warn: rate limits are not shared: nobody answers'))
    // Who is alone asks again after a second, not for every request.
    assert.equal(fleet.asked, 4)
  })

  it('allows one at a time where it is strict', async () => {
    const fleet = new TestFleet(2, { name: NAME, perMinute: 10, isStrict: true })
    fleet.isAway = true
    assert.equal(await allowedOf(fleet, 20), 2)
    // Ten a minute are five for each: one in twelve seconds.
    await fleet.clock.advance(11_999)
    assert.equal(await allowedOf(fleet, 4), 0)
    await fleet.clock.advance(1)
    assert.equal(await allowedOf(fleet, 4), 2)
  })

  it('never refuses everybody, however many gateways there are', async () => {
    const fleet = new TestFleet(20, { name: NAME, perMinute: 4 })
    fleet.isAway = true
    assert.equal(await allowedOf(fleet, 40), 20)
  })

  it('shares again when it gets an answer, at most a second later', async () => {
    const fleet = new TestFleet(1, { name: NAME, perMinute: 10 })
    assert.equal(await allowedOf(fleet, 4), 4)
    fleet.isAway = true
    assert.equal(await allowedOf(fleet, 10), 10)
    fleet.isAway = false
    await fleet.clock.advance(1_000)
    assert.equal(await allowedOf(fleet, 10), 6)
    assert.deepEqual(fleet.lines, [
      'warn: rate limits are not shared: nobody answers',
      'info: rate limits are shared again',
    ])
  })

  it('makes nobody wait while others find out whether there is an answer', async () => {
    const fleet = new TestFleet(1, { name: NAME, perMinute: 10 })
    fleet.isAway = true
    fleet.delaysMs = [200]
    const first = fleet.ask(0, 'a')
    await fleet.clock.advance(200)
    assert.equal(await first, true)
    assert.equal(fleet.gateways[0]?.limit.take('a') instanceof Promise, false)
    await fleet.clock.advance(1_000)
    const probe = fleet.gateways[0]?.limit.take('a')
    assert.ok(probe instanceof Promise)
    assert.equal(fleet.gateways[0]?.limit.take('b') instanceof Promise, false)
    await fleet.clock.advance(200)
    assert.equal((await probe).isAllowed, true)
  })
})
