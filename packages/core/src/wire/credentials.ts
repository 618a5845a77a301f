/**
 * Signed statements inside the platform: "this process runs these services" and "this user is behind the call".
 *
 * Outside credentials (passwords, JWTs, API keys) end at the gateway; what travels further is one of these. There
 * is one algorithm (Ed25519), one issuer per kind and no header to negotiate anything, so none of the classic token
 * confusions has a place to happen: `base64url(JSON claims) . base64url(signature over kind and claims)`.
 *
 * @module
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import type { User } from '../kernel/caller.ts'
import { FlotillaError } from '../kernel/error.ts'

/** Says which services a process runs; signed by control, which started it. */
export interface ProcessClaims {
  readonly instance: string
  readonly services: readonly string[]
  /** Wall-clock milliseconds. */
  readonly expiresAt: number
}

/** Says which user is behind a call; signed by the gateway, which checked. */
export interface UserClaims {
  readonly user: User
  /** Wall-clock milliseconds; at most a minute ahead. */
  readonly expiresAt: number
}

/** A key pair as text, for files and environment variables. */
export interface KeyPairText {
  readonly privateKey: string
  readonly publicKey: string
}

type Kind = 'process' | 'user'

/** Bytes a token may have; a longer one is refused unread. */
const TOKEN_BYTES_MAX = 8_192

/** A new Ed25519 key pair: DER in base64url. */
export function createKeyPair(): KeyPairText {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64url'),
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64url'),
  }
}

/** Signs process and user claims. */
export class Signer {
  readonly #key: KeyObject

  /** @param privateKey as made by `createKeyPair`. */
  constructor(privateKey: string) {
    this.#key = createPrivateKey({ key: Buffer.from(privateKey, 'base64url'), format: 'der', type: 'pkcs8' })
  }

  process(claims: ProcessClaims): string {
    return this.#sign('process', claims)
  }

  user(claims: UserClaims): string {
    return this.#sign('user', claims)
  }

  #sign(kind: Kind, claims: object): string {
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url')
    const signature = sign(null, Buffer.from(`${kind}.${payload}`), this.#key)
    return `${payload}.${signature.toString('base64url')}`
  }
}

/** Checks what a `Signer` signed. */
export class Verifier {
  readonly #key: KeyObject

  /** @param publicKey as made by `createKeyPair`. */
  constructor(publicKey: string) {
    this.#key = createPublicKey({ key: Buffer.from(publicKey, 'base64url'), format: 'der', type: 'spki' })
  }

  /** @throws FlotillaError `unauthenticated` when forged, malformed or expired. */
  process(token: string, nowMs: number): ProcessClaims {
    return this.#verify('process', token, nowMs) as ProcessClaims
  }

  /** @throws FlotillaError `unauthenticated` when forged, malformed or expired. */
  user(token: string, nowMs: number): UserClaims {
    return this.#verify('user', token, nowMs) as UserClaims
  }

  #verify(kind: Kind, token: string, nowMs: number): { readonly expiresAt: number } {
    const [payload = '', signature = '', ...rest] = token.length > TOKEN_BYTES_MAX ? [] : token.split('.')
    const bytes = Buffer.from(signature, 'base64url')
    const isGenuine =
      rest.length === 0 &&
      bytes.length === 64 &&
      verify(null, Buffer.from(`${kind}.${payload}`), this.#key, bytes)
    if (!isGenuine) throw refused('is not genuine')
    // Only now is the payload known to be ours, and worth parsing.
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { readonly expiresAt: number }
    if (!(claims.expiresAt > nowMs)) throw refused('has expired')
    return claims
  }
}

function refused(why: string): FlotillaError {
  return new FlotillaError('unauthenticated', `The credential ${why}.`, { executed: 'no' })
}
