import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock } from '../../kernel/virtual-clock.ts'
import { createKeyPair, Signer } from '../credentials.ts'
import { Trust } from '../trust.ts'
import { Introduced, PRINCIPALS_MAX } from './introductions.ts'

function open(clock: VirtualClock) {
  const keys = createKeyPair()
  const signer = new Signer(keys.privateKey)
  const trust = new Trust({ processKey: keys.publicKey, userKey: keys.publicKey, credential: '' }, clock)
  const expiresAt = clock.now() + 60_000
  const claims = { instance: 'i', services: ['cart'], expiresAt }
  const introduced = new Introduced(trust, claims, ['cart', 'bank'])
  const introduce = (number: number, id: string): void => {
    const token = signer.user({ user: { id, roles: [], scopes: [], tier: 'free' }, expiresAt })
    const head = Buffer.alloc(12)
    head.writeUInt32BE(number, 8)
    introduced.introduce(Buffer.concat([head, Buffer.from(token)]))
  }
  return { introduced, introduce }
}

describe('Introduced', () => {
  it('knows user and service by number, and a number given anew means the new user', () => {
    const { introduced, introduce } = open(new VirtualClock())
    assert.deepEqual(introduced.caller(0, -1), {})
    assert.deepEqual(introduced.caller(0, 0), { service: 'cart' })
    introduce(1, 'u1')
    for (const _again of [1, 2]) assert.equal(introduced.caller(1, 0).user?.id, 'u1')
    introduce(1, 'u2')
    assert.equal(introduced.caller(1, 0).user?.id, 'u2')
    assert.equal(introduced.caller(1, -1).service, undefined)
  })

  it('believes a token no longer than it says', () => {
    const clock = new VirtualClock()
    const { introduced, introduce } = open(clock)
    introduce(1, 'u1')
    assert.equal(introduced.caller(1, 0).user?.id, 'u1')
    clock.jump(61_000)
    assert.throws(() => introduced.caller(1, 0), { code: 'unauthenticated', executed: 'no' })
  })

  it('refuses numbers that were not introduced, and services the process does not run', () => {
    const { introduced, introduce } = open(new VirtualClock())
    assert.throws(() => introduced.caller(7, -1), { code: 'unauthenticated', executed: 'no' })
    assert.throws(() => introduced.caller(0, 2), { code: 'unauthenticated', executed: 'no' })
    assert.throws(() => introduced.caller(0, 1), { code: 'permission_denied', executed: 'no' })
    for (const number of [0, PRINCIPALS_MAX + 1])
      assert.throws(() => introduce(number, 'u1'), { code: 'internal' })
  })
})
