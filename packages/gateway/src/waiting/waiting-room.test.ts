import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import fc from 'fast-check'
import { WaitingRoom, type WaitingRoomPolicy } from './waiting-room.ts'

const START_MS = 1_800_000_000_000

function openRooms(count: number, policy: WaitingRoomPolicy, id = 'sale', key = 'secret') {
  const clock = new VirtualClock(START_MS)
  const open = (its: string): WaitingRoom =>
    new WaitingRoom({ ...policy, id: its, key, clock, instances: () => count })
  return { clock, rooms: Array.from({ length: count }, () => open(id)), other: open('other') }
}

describe('WaitingRoom', () => {
  it('lets in so many a minute and no more, all of them, in the order in which they came', async () => {
    const arrivals = fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 200 })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 6, max: 600 }), arrivals, async (perMinute, gapsMs) => {
        const { clock, rooms } = openRooms(1, { perMinute, waitMaxS: 1_000_000 })
        const room = rooms[0] as WaitingRoom
        const inMs: number[] = []
        const waiting: { who: string; ticket: string; atMs: number; index: number }[] = []
        for (const [index, gapMs] of gapsMs.entries()) {
          await clock.advance(gapMs)
          const its = room.enter(`v${index}`, undefined)
          if (its.kind === 'in') inMs[index] = clock.now()
          else if (its.kind === 'waits')
            waiting.push({ who: `v${index}`, ticket: its.paper.text, atMs: clock.now() + its.waitMs, index })
          else assert.fail('it is never full')
        }
        for (const { who, ticket, atMs, index } of waiting) {
          if (clock.now() < atMs - 1) {
            await clock.advance(atMs - 1 - clock.now())
            assert.equal(room.enter(who, ticket).kind, 'waits')
          }
          await clock.advance(Math.max(0, atMs - clock.now()))
          assert.equal(room.enter(who, ticket).kind, 'in')
          inMs[index] = atMs
        }
        const sorted = inMs.toSorted((a, b) => a - b)
        assert.deepEqual(inMs, sorted)
        const inAnyMinute = sorted.map(
          (from) => sorted.filter((at) => at >= from && at < from + 60_000).length,
        )
        const most = perMinute + Math.ceil(perMinute / 60) + 1
        assert.ok(Math.max(...inAnyMinute) <= most, `${Math.max(...inAnyMinute)} of ${perMinute}`)
      }),
      { numRuns: 40 },
    )
  })

  it('lets several gateways together let in what one would, and takes the tickets of each at all', async () => {
    const { clock, rooms } = openRooms(3, { perMinute: 60 })
    const tickets: string[] = []
    for (let visitor = 0; visitor < 60; visitor++) {
      const its = (rooms[visitor % 3] as WaitingRoom).enter(`v${visitor}`, undefined)
      if (its.kind === 'waits') tickets[visitor] = its.paper.text
    }
    await clock.advance(30_000)
    const areIn = tickets.filter((ticket, visitor) => {
      return (rooms[(visitor + 1) % 3] as WaitingRoom).enter(`v${visitor}`, ticket).kind === 'in'
    })
    assert.ok(areIn.length >= 24 && areIn.length <= 33, `${areIn.length}`)
  })

  it('takes no paper that is forged, changed, too old, of somebody else or of another room', async () => {
    const { clock, rooms, other } = openRooms(1, { perMinute: 1, stayS: 100 })
    const [room] = rooms as [WaitingRoom]
    const first = room.enter('a', undefined)
    assert.ok(first.kind === 'in' && first.paper?.goodS === 100)
    const pass = first.paper.text
    assert.deepEqual(room.enter('a', pass), { kind: 'in' })
    const later = (START_MS + 10 ** 9).toString(36)
    const wrong = [
      pass.replace(/^p[^.]*/, `p${later}`),
      pass.replace(/^p/, 't'),
      `${pass}x`,
      pass.slice(0, -1),
      `${pass.slice(0, -1)}${pass.endsWith('A') ? 'B' : 'A'}`,
      '',
      'p',
      'p1.',
      'x'.repeat(10_000),
    ]
    for (const text of wrong) assert.notEqual(room.enter('a', text).kind, 'in', text)
    assert.notEqual(room.enter('b', pass).kind, 'in')
    assert.equal(other.enter('x', undefined).kind, 'in')
    assert.notEqual(other.enter('a', pass).kind, 'in')
    const [stranger] = openRooms(1, { perMinute: 1 }, 'sale', 'another').rooms as [WaitingRoom]
    stranger.enter('x', undefined)
    assert.notEqual(stranger.enter('a', pass).kind, 'in')
    await clock.advance(100_000)
    assert.notEqual(room.enter('a', pass).kind, 'in')
  })

  it('gives no ticket for a time that is too far, and forgets one that is not used in its time', async () => {
    const { clock, rooms } = openRooms(1, { perMinute: 60, waitMaxS: 10 })
    const [room] = rooms as [WaitingRoom]
    const kinds = Array.from({ length: 30 }, (_, visitor) => room.enter(`v${visitor}`, undefined).kind)
    const of = (kind: string): number => kinds.filter((its) => its === kind).length
    assert.deepEqual([of('in'), of('waits'), of('full')], [2, 10, 18])
    const full = room.enter('late', undefined)
    assert.ok(full.kind === 'full' && full.waitMs > 0 && full.waitMs <= 1_000)
    await clock.advance(5_000)
    const its = room.enter('w', undefined)
    assert.ok(its.kind === 'waits')
    await clock.advance(its.waitMs + 59_999)
    assert.equal(room.enter('w', its.paper.text).kind, 'in')
    for (let visitor = 0; visitor < 5; visitor++) room.enter(`z${visitor}`, undefined)
    await clock.advance(1)
    assert.equal(room.enter('w', its.paper.text).kind, 'waits')
  })
})
