import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Cancellation } from '@flotilla/core/cancellation'
import { FlotillaError } from '@flotilla/core/error'
import { away, openKeptRoute, personOf, TIMEOUT_MS, TTL_MS, valueIn } from './open-kept-route.test.ts'

describe('KeptRoute', () => {
  it('asks once for all who come meanwhile, as nobody, and keeps the answer', async () => {
    const { ask, calls, clock } = openKeptRoute()
    const outcomes = [ask('a'), ask('a'), ask('a')]
    assert.equal(calls.length, 1)
    assert.deepEqual(calls[0]?.context.caller, {})
    await clock.advance(40)
    calls[0]?.answer(1)
    assert.deepEqual(
      outcomes.map((outcome) => [outcome()?.how, outcome()?.status]),
      [
        ['miss', 'flotilla; fwd=miss; stored'],
        ['collapsed', 'flotilla; fwd=miss; stored; collapsed'],
        ['collapsed', 'flotilla; fwd=miss; stored; collapsed'],
      ],
    )
    await clock.advance(3_000)
    const hit = ask('a')()
    assert.match(hit?.status ?? '', /^flotilla; hit; ttl=[5-6]$/)
    assert.ok(hit !== undefined && hit.error === undefined)
    assert.equal(hit.ageS, 3)
    assert.deepEqual(valueIn(hit), { key: 'a', value: 1 })
    assert.equal(calls.length, 1)
    assert.equal(ask('b')(), undefined, 'another key is another question')
  })

  it('serves who may be served, and nothing that it may not know of', () => {
    const { route, setCurrent } = openKeptRoute()
    assert.ok(route.serves(undefined))
    assert.ok(route.serves(personOf('customer')))
    assert.ok(!route.serves(personOf('customer', 'admin')))
    setCurrent(false)
    assert.ok(!route.serves(undefined), 'events may be missed')
    const { route: ofPublic } = openKeptRoute(1, 'public')
    assert.ok(ofPublic.serves(undefined))
    assert.ok(!ofPublic.serves(personOf('customer')), 'who is known may see more')
  })

  it('lets each wait for as long as the operation may take, whoever else gives up', async () => {
    const { ask, calls, clock } = openKeptRoute()
    const leaver = new Cancellation()
    const [left, early] = [ask('a', { client: leaver }), ask('a')]
    await clock.advance(TIMEOUT_MS - 100)
    const late = ask('a')
    leaver.cancel(new FlotillaError('canceled', 'The client hung up.'))
    assert.equal(left()?.error?.code, 'canceled')
    await clock.advance(200)
    assert.equal(early()?.error?.code, 'deadline_exceeded')
    assert.equal(late(), undefined)
    assert.equal(calls[0]?.context.cancellation.error, undefined)
    assert.ok((calls[0]?.context.deadlineMs ?? 0) >= 2 * TIMEOUT_MS - 100)
    calls[0]?.answer(5)
    assert.equal(valueIn(late()).value, 5)
    assert.equal(calls.length, 1)
  })

  it('stops the call when nobody waits any more, and asks anew for who comes then', async () => {
    const { ask, calls } = openKeptRoute()
    const client = new Cancellation()
    ask('a', { client })
    client.cancel(new FlotillaError('canceled', 'The client hung up.'))
    assert.equal(calls[0]?.context.cancellation.error?.code, 'canceled')
    const next = ask('a')
    assert.equal(calls.length, 2)
    calls[0]?.fail(new FlotillaError('canceled', 'Nobody waits any more.'))
    calls[1]?.answer(2)
    assert.equal(valueIn(next()).value, 2)
  })

  it('never asks for a client that has left already', () => {
    const { ask, calls } = openKeptRoute()
    const client = new Cancellation()
    client.cancel(new FlotillaError('canceled', 'The client hung up.'))
    assert.equal(ask('a', { client })()?.error?.code, 'canceled')
    assert.equal(calls.length, 0)
    ask('a')
    assert.equal(calls.length, 1)
  })

  it('keeps no failure, and gives it to all who wait', async () => {
    const { ask, calls } = openKeptRoute()
    const missing = new FlotillaError('not_found', 'There is none.')
    const outcomes = [ask('a'), ask('a')]
    calls[0]?.fail(missing)
    for (const outcome of outcomes) assert.equal(outcome()?.error, missing)
    assert.equal(ask('a')(), undefined)
    assert.equal(calls.length, 2)
  })

  it('gives out what is stale while it fetches a new one behind it, once', async () => {
    const { ask, calls, clock } = openKeptRoute()
    ask('a')
    calls[0]?.answer(1)
    await clock.advance(TTL_MS)
    assert.deepEqual([ask('a')()?.how, ask('a')()?.how], ['stale', 'stale'])
    assert.equal(calls.length, 2)
    calls[1]?.answer(2)
    assert.equal(valueIn(ask('a')()).value, 2)
    await clock.advance(2 * TTL_MS)
    const waiting = ask('a')
    assert.equal(waiting(), undefined, 'too old to be given out')
    calls[2]?.answer(3)
    assert.equal(valueIn(waiting()).value, 3)
  })

  it('gives out what is stale when there is no new one, and leaves the service alone for a second', async () => {
    const { ask, calls, clock } = openKeptRoute()
    ask('a')
    calls[0]?.answer(1)
    await clock.advance(3 * TTL_MS)
    const outcome = ask('a')
    calls[1]?.fail(away)
    assert.match(outcome()?.status ?? '', /^flotilla; fwd=stale; fwd-status=503; ttl=-2\d$/)
    assert.equal(valueIn(outcome()).value, 1)
    assert.equal(ask('a')()?.how, 'stale')
    assert.equal(calls.length, 2)
    await clock.advance(1_000)
    const strict = ask('a', { cacheControl: 'no-cache' })
    calls[2]?.fail(away)
    assert.equal(strict()?.error, away, 'who wants a new one hears that there is none')
    await clock.advance(9 * TTL_MS)
    const late = ask('a')
    calls[3]?.fail(away)
    assert.equal(late()?.error, away, 'not for ever')
  })

  it('forgets what a service says is no more', async () => {
    const { ask, calls, clock } = openKeptRoute()
    ask('a')
    calls[0]?.answer(1)
    await clock.advance(TTL_MS)
    ask('a')
    calls[1]?.fail(new FlotillaError('not_found', 'There is none.'))
    assert.equal(ask('a')(), undefined)
  })

  it('does not keep what was overtaken by a change, and asks again for who came after it', async () => {
    const { ask, calls, store } = openKeptRoute()
    const before = ask('a')
    store.changed(['key:a'])
    const after = ask('a')
    assert.equal(calls.length, 1, 'what the answer tells of is not known yet')
    calls[0]?.answer(1)
    assert.equal(valueIn(before()).value, 1)
    assert.equal(after(), undefined)
    assert.equal(calls.length, 2)
    store.changed(['key:a'])
    calls[1]?.answer(2)
    assert.equal(valueIn(after()).value, 2, 'it asked before the second change')
    assert.equal(ask('a')(), undefined, 'neither was kept')
  })

  it('heeds what a request says about caching, down to a second', async () => {
    const { ask, calls, clock } = openKeptRoute()
    assert.throws(() => ask('a', { cacheControl: 'only-if-cached' }), {
      code: 'failed_precondition',
      status: 504,
    })
    ask('a', { cacheControl: 'no-store' })
    calls[0]?.answer(1)
    assert.equal(ask('a')(), undefined, 'it was not kept')
    calls[1]?.answer(1)
    await clock.advance(999)
    for (let turn = 0; turn < 50; turn++) assert.equal(ask('a', { cacheControl: 'no-cache' })()?.how, 'hit')
    await clock.advance(2)
    assert.equal(ask('a', { cacheControl: 'max-age=2' })()?.how, 'hit')
    assert.equal(ask('a', { cacheControl: 'no-cache' })(), undefined)
    assert.equal(calls.length, 3)
    assert.equal(ask('a', { cacheControl: 'only-if-cached' })()?.how, 'hit')
  })

  it('does not keep an answer of which a part is missing', () => {
    const { ask, calls } = openKeptRoute()
    const outcome = ask('a')
    calls[0]?.answer(null)
    assert.equal(outcome()?.status, 'flotilla; fwd=miss')
    assert.equal(ask('a')(), undefined)
  })
})
