import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFlotillaError } from '@flotilla/core/error'
import type { Update } from '@flotilla/core/registry'
import { Watchers } from './watchers.ts'

const snapshot: Update = { kind: 'snapshot', instances: [] }

function up(instance: string): Update {
  return { kind: 'up', instance: { instance, service: 'cart', version: '1', frames: '', http: '' } }
}

describe('Watchers', () => {
  it('gives a snapshot, then every change from that moment on, in order, to each', async () => {
    const watchers = new Watchers()
    watchers.tell(up('before'))
    const leave = new AbortController()
    const [one, other] = [1, 2].map(() => watchers.follow(() => snapshot, leave.signal))
    for (const stream of [one, other]) assert.deepEqual((await stream?.next())?.value, snapshot)
    assert.equal(watchers.size, 2)
    const waiting = one?.next()
    for (const name of ['a', 'b']) watchers.tell(up(name))
    assert.deepEqual((await waiting)?.value, up('a'))
    assert.deepEqual((await one?.next())?.value, up('b'))
    assert.deepEqual((await other?.next())?.value, up('a'))
    leave.abort()
  })

  it('misses nothing that happens between the snapshot and the first look', async () => {
    const watchers = new Watchers()
    const leave = new AbortController()
    const stream = watchers.follow(() => {
      watchers.tell(up('meanwhile'))
      return snapshot
    }, leave.signal)
    await stream.next()
    assert.deepEqual((await stream.next()).value, up('meanwhile'))
    leave.abort()
  })

  it('ends, and forgets the watcher, when it leaves: waiting, reading, or before it began', async () => {
    const watchers = new Watchers()
    const leave = new AbortController()
    const [waiting, reading, late] = [1, 2, 3].map(() => watchers.follow(() => snapshot, leave.signal))
    await waiting?.next()
    await reading?.next()
    const end = waiting?.next()
    leave.abort()
    assert.equal((await end)?.done, true)
    assert.equal((await reading?.next())?.done, true)
    await late?.next()
    assert.equal((await late?.next())?.done, true)
    assert.equal(watchers.size, 0)
  })

  it('drops one that is 1,000 behind, and no other', async () => {
    const watchers = new Watchers()
    const leave = new AbortController()
    const [slow, quick] = [1, 2].map(() => watchers.follow(() => snapshot, leave.signal))
    await slow?.next()
    await quick?.next()
    for (let index = 0; index < 1_001; index++) {
      const next = quick?.next()
      watchers.tell(up(`i${index}`))
      assert.deepEqual((await next)?.value, up(`i${index}`))
    }
    const tooSlow = (error: unknown): boolean => isFlotillaError(error) && error.code === 'resource_exhausted'
    await assert.rejects(async () => slow?.next(), tooSlow)
    assert.equal(watchers.size, 1)
    leave.abort()
  })
})
