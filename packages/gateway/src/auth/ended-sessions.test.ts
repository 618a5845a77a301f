import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Metrics } from '@flotilla/core/metrics'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import { AccessTokens } from './access-token.ts'
import { EndedSessions } from './ended-sessions.ts'
import { ISSUERS, isRefusal, NOW_S, partners, token, withClaims } from './forge.test.ts'

/** Sessions that end when a test says so. */
function openSessions() {
  const clock = new VirtualClock(NOW_S * 1000)
  const metrics = new Metrics()
  const lines: string[] = []
  const ended: string[] = []
  const asked: number[] = []
  const state = { isAway: false, forgotten: 0 }
  const log = {
    warn: (message: string) => void lines.push(message),
    info: (message: string) => void lines.push(message),
  }
  const endedSessions = new EndedSessions({
    clock,
    metrics,
    log,
    fetch: async (after, limit) => {
      asked.push(after)
      if (state.isAway) throw new Error('away')
      const sessionIds = ended.slice(Math.max(after, state.forgotten)).slice(0, limit)
      const first = Math.max(after, state.forgotten)
      return { sessionIds, position: sessionIds.length === 0 ? ended.length : first + sessionIds.length }
    },
  })
  const tokens = new AccessTokens({ issuers: ISSUERS, endedSessions, clock, log })
  const isStale = () => /^flotilla_gateway_sessions_stale(?:\{\})? 1$/m.test(metrics.toPrometheus())
  return { clock, lines, ended, asked, state, endedSessions, tokens, isStale }
}

const isOver = (error: unknown): boolean => isRefusal(error, 'session over')

describe('EndedSessions', () => {
  it('has tokens refused whose session has ended, also those that were checked before, and no others', async () => {
    const { ended, endedSessions, tokens } = openSessions()
    const [mine, other, none] = [withClaims({ sid: 's1' }), withClaims({ sid: 's2' }), token()]
    for (const text of [mine, other, none]) await tokens.verify(text)
    ended.push('s1')
    assert.ok(tokens.known(mine), 'it was not asked for yet')
    await endedSessions.refresh()
    assert.equal(tokens.known(mine), undefined)
    await assert.rejects(tokens.verify(mine), isOver)
    await assert.rejects(tokens.verify(withClaims({ sid: 's1', jti: 'newer' })), isOver)
    for (const text of [other, none]) assert.ok(tokens.known(text))
  })

  it('a gateway that has just started takes no token before it has heard of all of them', async () => {
    const { ended, state, tokens, clock } = openSessions()
    ended.push(...Array.from({ length: 2_500 }, (_, index) => `s${index}`))
    state.isAway = true
    await assert.rejects(tokens.verify(withClaims({ sid: 's2499' })), { code: 'unavailable' })
    state.isAway = false
    await clock.advance(1)
    await assert.rejects(tokens.verify(withClaims({ sid: 's2499' })), isOver)
    assert.ok(await tokens.verify(withClaims({ sid: 's2500' })))
  })

  it('asks from where it was, page by page, once for all who ask at the same time', async () => {
    const { asked, ended, endedSessions } = openSessions()
    ended.push(...Array.from({ length: 2_500 }, (_, index) => `s${index}`))
    await Promise.all([endedSessions.refresh(), endedSessions.ready(), endedSessions.refresh()])
    assert.deepEqual(asked, [0, 1_000, 2_000])
    await endedSessions.refresh()
    assert.deepEqual(asked, [0, 1_000, 2_000, 2_500])
  })

  it('goes on with what it knows while nobody answers, and says so once', async () => {
    const { ended, endedSessions, isStale, lines, state, tokens } = openSessions()
    ended.push('s1')
    await endedSessions.refresh()
    assert.equal(isStale(), false)
    state.isAway = true
    for (let turn = 0; turn < 3; turn++) await endedSessions.refresh()
    assert.equal(isStale(), true)
    assert.equal(lines.length, 1)
    await assert.rejects(tokens.verify(withClaims({ sid: 's1' })), isOver)
    assert.ok(await tokens.verify(withClaims({ sid: 's2' })))
    state.isAway = false
    await endedSessions.refresh()
    assert.equal(isStale(), false)
    assert.equal(lines.length, 2)
  })

  it('remembers each for longer than a token lives, and then forgets it', async () => {
    const { clock, ended, endedSessions, state } = openSessions()
    ended.push('s1')
    await endedSessions.refresh()
    await clock.advance(16 * 60_000)
    ended.push('s2')
    state.forgotten = 1
    await endedSessions.refresh()
    assert.ok(endedSessions.has('s1') && endedSessions.has('s2'))
    await clock.advance(5 * 60_000)
    await endedSessions.refresh()
    assert.deepEqual([endedSessions.has('s1'), endedSessions.has('s2')], [false, true])
  })

  it('leaves the sessions of other issuers to them', async () => {
    const { ended, endedSessions, tokens } = openSessions()
    ended.push('s1')
    await endedSessions.refresh()
    assert.ok(await tokens.verify(partners({ sid: 's1' })))
  })

  it('takes no token of ours whose session is none', async () => {
    const { tokens } = openSessions()
    for (const sid of ['', 17, null, ['s1'], 'a b', 'x'.repeat(65)])
      await assert.rejects(tokens.verify(withClaims({ sid })), (error) => isRefusal(error, 'session'))
  })
})
