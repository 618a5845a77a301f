import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { User } from '@flotilla/core/caller'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import { ApiKeys } from './api-keys.ts'

const KEY = 'fk_0123456789abcdef'
const USER: User = { id: 'u1', roles: ['user'], scopes: ['catalog:read'], tier: 'free' }

function createKeys() {
  const clock = new VirtualClock()
  const users = new Map([[KEY, USER]])
  const asked: string[] = []
  const keys = new ApiKeys(clock, async (key) => {
    asked.push(key)
    return users.get(key)
  })
  return { clock, users, asked, keys }
}

const refusal = { code: 'unauthenticated', executed: 'no' }

describe('ApiKeys', () => {
  it('asks the issuer once in thirty seconds, and keeps the scopes', async () => {
    const { clock, asked, keys } = createKeys()
    const user = await keys.verify(KEY)
    assert.deepEqual(user, USER)
    await clock.advance(29_999)
    assert.equal(await keys.verify(KEY), user)
    assert.equal(asked.length, 1)
    await clock.advance(1)
    await keys.verify(KEY)
    assert.equal(asked.length, 2)
  })

  it('lets a revoked key work thirty seconds more at the most', async () => {
    const { clock, users, keys } = createKeys()
    await keys.verify(KEY)
    users.delete(KEY)
    await clock.advance(30_000)
    await assert.rejects(keys.verify(KEY), refusal)
  })

  it('remembers unknown keys too', async () => {
    const { asked, keys } = createKeys()
    for (let index = 0; index < 5; index++) await assert.rejects(keys.verify('fk_unknown_0123456'), refusal)
    assert.equal(asked.length, 1)
  })

  it('asks nobody about what cannot be a key', async () => {
    const { asked, keys } = createKeys()
    for (const key of ['', 'short', 'a'.repeat(201), `${KEY} `, `${KEY}\n`, `${KEY}é`, `${KEY}\0`]) {
      await assert.rejects(keys.verify(key), refusal)
    }
    assert.deepEqual(asked, [])
  })

  it('remembers no failure of the issuer', async () => {
    let isAway = true
    const keys = new ApiKeys(new VirtualClock(), async () => {
      if (isAway) throw new Error('away')
      return USER
    })
    await assert.rejects(keys.verify(KEY), /away/)
    isAway = false
    assert.equal(await keys.verify(KEY), USER)
  })
})
