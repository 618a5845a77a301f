/**
 * What the tests of proofs of possession share: keys of clients, a press for proofs of any kind, and the check.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { createHash, type KeyObject } from 'node:crypto'
import type { FlotillaError } from '@flotilla/core/error'
import { MemoryKeyValue } from '@flotilla/core/memory-key-value'
import { Metrics } from '@flotilla/core/metrics'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { es256, KEYS, NOW_S, token as press, type Sign } from './forge.test.ts'
import { Proofs, REMEMBERED_MS } from './proof.ts'
import { originsOf } from './proof-target.ts'
import type { ProofRule } from './token-refusal.ts'
import { UsedProofs } from './used-proofs.ts'

export const ORIGIN = 'https://shop.example'
export const REQUEST = { method: 'POST', path: '/api/v1/orders', token: 'a.b.c' }
export const ATH = createHash('sha256').update(REQUEST.token).digest('base64url')

/** Of a key; nothing but what its thumbprint needs. */
export const publicJwk = (key: KeyObject): JWK => key.export({ format: 'jwk' }) as JWK
export const JWK_OF_CLIENT = publicJwk(KEYS.ours.publicKey)
/** The key that the access token names. */
export const EXPECTED = await calculateJwkThumbprint(JWK_OF_CLIENT)

export const HEADER = { typ: 'dpop+jwt', alg: 'ES256', jwk: JWK_OF_CLIENT }
export const CLAIMS = {
  jti: 'one-of-many',
  htm: REQUEST.method,
  htu: ORIGIN + REQUEST.path,
  iat: NOW_S,
  ath: ATH,
}

let made = 0

/** A proof of any header and claims; by default a good one, that was not used yet. */
export function proof(header: object = {}, claims: object = {}, signed: Sign = es256()): string {
  return press({ ...HEADER, ...header }, { ...CLAIMS, jti: `proof-${++made}`, ...claims }, signed)
}

/** Gateways that share what was used, their clock at `NOW_S`. */
export function openProofs(gateways = 1) {
  const clock = new VirtualClock(NOW_S * 1000)
  const metrics = new Metrics()
  const shared = new MemoryKeyValue(clock)
  const state = { isAway: false }
  const keyValue: Pick<MemoryKeyValue, 'take'> = {
    async take(wish) {
      if (state.isAway) throw new Error('away')
      return await shared.take(wish)
    },
  }
  const all = Array.from({ length: gateways }, () => {
    const used = new UsedProofs({ clock, keyValue, metrics, rememberedMs: REMEMBERED_MS })
    return new Proofs({ clock, used, origins: originsOf([ORIGIN, 'http://127.0.0.1:8080']) })
  })
  return { clock, metrics, shared, state, all, proofs: all[0] as Proofs }
}

/** Whether it is the refusal for that rule, and says nothing of it to the outside. */
export function isRefusedProof(error: unknown, rule: ProofRule): boolean {
  assert.equal((error as FlotillaError).cause, rule)
  const message = 'The DPoP proof is not valid.'
  const body = { code: 'unauthenticated', message, executed: 'no', reason: 'invalid_dpop_proof' }
  assert.deepEqual((error as FlotillaError).toBody(), body)
  return true
}
