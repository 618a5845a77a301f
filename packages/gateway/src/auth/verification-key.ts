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

/**
 * The usable keys of `set` by their names; `onUnusable` hears of every other.
 *
 * @throws FlotillaError `unavailable` when `set` is no key set, or has more than 64 keys.
 */
export async function readKeys(
  set: JSONWebKeySet,
  algorithms: readonly Algorithm[],
  onUnusable: (kid: unknown, why: string) => void,
): Promise<Map<string, VerificationKey>> {
  const jwks: unknown = set?.keys
  if (!Array.isArray(jwks) || jwks.length > KEYS_MAX)
    throw new FlotillaError('unavailable', `This is no key set of at most ${KEYS_MAX} keys.`)
  const named = (kid: unknown): number => jwks.filter((jwk: JWK | null) => jwk?.kid === kid).length
  const keys = new Map<string, VerificationKey>()
  for (const jwk of jwks as (JWK | null)[]) {
    const kid = jwk?.kid
    if (jwk === null || typeof kid !== 'string' || !KEY_NAME.test(kid)) onUnusable(kid, 'its name is no name')
    // Which of them was meant? Neither is used.
    else if (named(kid) > 1) onUnusable(kid, 'another key has the same name')
    else {
      const key = await readKey(jwk, algorithms)
      if (typeof key === 'string') onUnusable(kid, key)
      else keys.set(kid, key)
    }
  }
  return keys
}

/** The key, or why it is not used. */
async function readKey(jwk: JWK, algorithms: readonly Algorithm[]): Promise<VerificationKey | string> {
  const { kty, crv, x, y, n, e, use, key_ops: uses } = jwk
  if ('d' in jwk || 'k' in jwk) return 'it is not public'
  if (use !== undefined && use !== 'sig') return 'it is not for signatures'
  if (uses !== undefined && !(Array.isArray(uses) && uses.includes('verify'))) return 'it is not for checking'
  const fitting = algorithms.filter((one) => FITS[one](jwk) && (jwk.alg === undefined || jwk.alg === one))
  const [algorithm] = fitting
  if (algorithm === undefined || fitting.length > 1) return 'it is not for one algorithm of the issuer'
  // Of the key itself only: what else the JWK says has been looked at, or does not matter.
  const material = kty === 'RSA' ? { kty, n, e } : kty === 'EC' ? { kty, crv, x, y } : { kty, crv, x }
  const key = await importJWK(material as JWK, algorithm).catch(() => undefined)
  if (key === undefined || key instanceof Uint8Array) return 'it cannot be read'
  const { modulusLength: bits } = key.algorithm as { readonly modulusLength?: number }
  if (bits !== undefined && (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)) return `it has ${bits} bits`
  return { algorithm, key }
}
