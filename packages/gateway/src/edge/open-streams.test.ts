import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Cancellation } from '@flotilla/core/cancellation'
import { FlotillaError } from '@flotilla/core/error'
import { OpenStreams } from './open-streams.ts'

describe('OpenStreams', () => {
  it('stops what begins when that is over which it was asked for with', () => {
    const streams = new OpenStreams()
    const late = new Cancellation()
    streams.add(late, { user: undefined, isOver: () => true })
    assert.equal(late.error?.code, 'unauthenticated')
  })

  it('stops those that are over, and at the end all that are left', () => {
    const streams = new OpenStreams()
    const [mine, other, gone, nobodys] = [1, 2, 3, 4].map(() => new Cancellation()) as [
      ...Cancellation[],
    ] as [Cancellation, Cancellation, Cancellation, Cancellation]
    const over = new Set<Cancellation>()
    for (const one of [mine, other, gone]) streams.add(one, { user: undefined, isOver: () => over.has(one) })
    streams.add(nobodys, undefined)
    streams.delete(gone)
    over.add(mine).add(gone)
    streams.endThoseOver()
    assert.deepEqual(
      [mine, other, gone, nobodys].map(({ error }) => error?.code),
      ['unauthenticated', undefined, undefined, undefined],
    )
    streams.endAll(new FlotillaError('unavailable', 'It leaves.'))
    assert.deepEqual(
      [mine, other, gone, nobodys].map(({ error }) => error?.code),
      ['unauthenticated', 'unavailable', undefined, 'unavailable'],
    )
  })
})
