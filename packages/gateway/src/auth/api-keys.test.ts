import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
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
  const heardMs = new Map<string, number>()
  const hasSince = (hash: string, sinceMs: number): boolean => (heardMs.get(hash) ?? -1) >= sinceMs
  const looking: { wait: Promise<void> | undefined } = { wait: undefined }
  const lookUp = async (key: string): Promise<User | undefined> => {
    asked.push(key)
    const user = users.get(key)
    await looking.wait
    return user
  }
  const keys = new ApiKeys({ clock, lookUp, endedSessions: { hasSince } })
  /** The gateway hears that it has ended. */
  const hear = (key: string): void => {
    heardMs.set(createHash('sha256').update(key).digest('base64url'), clock.monotonicMs())
  }
  return { clock, users, asked, keys, hear, looking }
}

const refusal = { code: 'unauthenticated', executed: 'no' }

describe('ApiKeys', () => {
  it('asks the issuer once in thirty seconds, and keeps the scopes', async () => {
    const { clock, asked, keys } = createKeys()
    const verified = await keys.verify(KEY)
    assert.deepEqual(verified.user, USER)
    await clock.advance(29_999)
    assert.equal(await keys.verify(KEY), verified)
    assert.equal(asked.length, 1)
    await clock.advance(1)
    await keys.verify(KEY)
    assert.equal(asked.length, 2)
  })

  it('looks a key up again when it is heard that it has ended, also one that was given back since', async () => {
    const { clock, users, asked, keys, hear } = createKeys()
    const verified = await keys.verify(KEY)
    await clock.advance(1_000)
    users.delete(KEY)
    hear(KEY)
    assert.ok(verified.isOver())
    await assert.rejects(keys.verify(KEY), refusal)
    users.set(KEY, USER)
    await clock.advance(30_000)
    const again = await keys.verify(KEY)
    assert.deepEqual([again.isOver(), verified.isOver(), asked.length], [false, true, 3])
    assert.equal(await keys.verify(KEY), again)
  })

  it('refuses a key that ended while it was looked up, and does not remember what it heard', async () => {
    const { users, keys, hear, looking } = createKeys()
    let answer = (): void => {}
    looking.wait = new Promise((resolve) => {
      answer = resolve
    })
    const verified = keys.verify(KEY)
    users.delete(KEY)
    hear(KEY)
    answer()
    await assert.rejects(verified, refusal)
    await assert.rejects(keys.verify(KEY), refusal)
  })

  it('lets a revoked key of which nobody tells work thirty seconds more at the most', async () => {
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
    const keys = new ApiKeys({
      clock: new VirtualClock(),
      lookUp: async () => {
        if (isAway) throw new Error('away')
        return USER
      },
    })
    await assert.rejects(keys.verify(KEY), /away/)
    isAway = false
    assert.equal((await keys.verify(KEY)).user, USER)
  })
})
