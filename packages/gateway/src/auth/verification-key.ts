/**
 * Which of the keys an issuer publishes are used, and each for what. A key does one algorithm, which follows from the key and from
 * what the issuer may use, so that a token has no say in it.
 *
 * @source RFC 7517 (JWK), RFC 8725, sections 3.1 and 3.5
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import { type CryptoKey, importJWK, type JSONWebKeySet, type JWK } from 'jose'
import { KEY_NAME } from './token-text.ts'

/** What tokens may be signed with: no shared secrets. RS256 is for issuers that do no other. */
export const ALGORITHMS = ['ES256', 'EdDSA', 'PS256', 'RS256'] as const

/** One of them. */
export type Algorithm = (typeof ALGORITHMS)[number]

/** A public key and the one algorithm it is for. */
export interface VerificationKey {
  readonly algorithm: Algorithm
  readonly key: CryptoKey
}

const KEYS_MAX = 64
const RSA_BITS_MIN = 2_048
/** A check with a longer one would cost more than a request. */
const RSA_BITS_MAX = 8_192
/** 65,537: with a small one, such as 1, anybody can sign. */
const RSA_EXPONENT = 'AQAB'

/** Whether a key is of the right kind for an algorithm. */
const FITS: Readonly<Record<Algorithm, (jwk: JWK) => boolean>> = {
  ES256: ({ kty, crv }) => kty === 'EC' && crv === 'P-256',
  EdDSA: ({ kty, crv }) => kty === 'OKP' && crv === 'Ed25519',
  PS256: ({ kty, e }) => kty === 'RSA' && e === RSA_EXPONENT,
  RS256: ({ kty, e }) => kty === 'RSA' && e === RSA_EXPONENT,
}

/** A key set as it is used. */
export interface ReadKeys {
  readonly keys: ReadonlyMap<string, VerificationKey>
  /** Every key that is not used, and why. */
  readonly unusable: readonly string[]
}

/** @throws FlotillaError `unavailable` when `set` is no key set, or has more than 64 keys. */
export async function readKeys(set: JSONWebKeySet, algorithms: readonly Algorithm[]): Promise<ReadKeys> {
  const jwks: unknown = set?.keys
  if (!Array.isArray(jwks) || jwks.length > KEYS_MAX)
    throw new FlotillaError('unavailable', `This is no key set of at most ${KEYS_MAX} keys.`)
  const named = (kid: unknown): number => jwks.filter((jwk: JWK | null) => jwk?.kid === kid).length
  const keys = new Map<string, VerificationKey>()
  const unusable: string[] = []
  for (const [index, jwk] of (jwks as (JWK | null)[]).entries()) {
    const kid = jwk?.kid
    if (jwk === null || typeof kid !== 'string' || !KEY_NAME.test(kid))
      unusable.push(`#${index}: no good name`)
    // Which of them was meant? Neither is used.
    else if (named(kid) > 1) unusable.push(`${kid}: the name of another, too`)
    else {
      const key = await readKey(jwk, algorithms)
      if (typeof key === 'string') unusable.push(`${kid}: ${key}`)
      else keys.set(kid, key)
    }
  }
  return { keys, unusable }
}

/** The key, for the one of `algorithms` that it does; or why it is not used. */
export async function readKey(jwk: JWK, algorithms: readonly Algorithm[]): Promise<VerificationKey | string> {
  const { kty, crv, x, y, n, e, use, key_ops: uses } = jwk
  if ('d' in jwk || 'k' in jwk) return 'not public'
  if (use !== undefined && use !== 'sig') return 'not for signatures'
  if (uses !== undefined && !(Array.isArray(uses) && uses.includes('verify'))) return 'not for checking'
  const fitting = algorithms.filter((one) => FITS[one](jwk) && (jwk.alg === undefined || jwk.alg === one))
  const [algorithm] = fitting
  if (algorithm === undefined || fitting.length > 1) return 'not for one algorithm of the issuer'
  // Of the key itself only: what else the JWK says has been looked at, or does not matter.
  const material = kty === 'RSA' ? { kty, n, e } : kty === 'EC' ? { kty, crv, x, y } : { kty, crv, x }
  const key = await importJWK(material as JWK, algorithm).catch(() => undefined)
  if (key === undefined || key instanceof Uint8Array) return 'cannot be read'
  const { modulusLength: bits } = key.algorithm as { readonly modulusLength?: number }
  if (bits !== undefined && (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)) return `${bits} bits`
  return { algorithm, key }
}
