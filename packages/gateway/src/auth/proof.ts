/**
 * Proofs of possession (DPoP): with each request a client shows a small JWT, signed by a key of its own, for this request and this
 * moment. A token that is bound to that key is worth nothing to who has only read it.
 *
 * A proof brings its key along, which for any other token would be the end of it. Here it means nothing by itself: what counts is
 * its thumbprint, which the access token names, or which a new session is going to be bound to. The key is public, and does one
 * algorithm of ours.
 *
 * For which request it is made is compared to what this gateway is called by those outside, as the operator says it, and never to
 * what the request says: a site that is shown a token and a proof for itself could pass both on to us under its own name.
 *
 * Proofs are looked at whole before their signature is, and their use is written down last: what is refused uses up nothing.
 *
 * @source RFC 9449, 4.2 (form), 4.3 (checks), 11.1 (replay); RFC 7638 (thumbprint)
 * @module
 */
import { createHash } from 'node:crypto'
import type { Clock } from '@flotilla/core/clock'
import { calculateJwkThumbprint, compactVerify, type JWK } from 'jose'
import { isMadeFor } from './proof-target.ts'
import { type ProofRule, refusedProof } from './token-refusal.ts'
import { isSteered, readJws } from './token-text.ts'
import type { UsedProofs } from './used-proofs.ts'
import { type Algorithm, readKey, type VerificationKey } from './verification-key.ts'

/** What proofs may be signed with: as tokens, but nobody here is old enough to need RS256. */
export const PROOF_ALGORITHMS: readonly Algorithm[] = ['ES256', 'EdDSA', 'PS256']

/** What a proof has to be for. */
export interface ProvenRequest {
  readonly method: string
  /** As it was sent, without query. */
  readonly path: string
  /** The access token that is shown with it; undefined: none. */
  readonly token: string | undefined
}

/** What it takes. */
export interface ProofsOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly used: UsedProofs
  /** Where clients find this gateway, as `originsOf` gives them. */
  readonly origins: ReadonlySet<string>
}

const PROOF_CHARS_MAX = 4_096
/** How old one may be. */
const LIFETIME_S = 60
/** How far ahead a client's clock may be. */
const LEEWAY_S = 30
/** How long after its first use a proof might still be good; clocks go wrong, too. */
export const REMEMBERED_MS = (LIFETIME_S + LEEWAY_S + 30) * 1000
const ID_CHARS_MAX = 256
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** Checks proofs. */
export class Proofs {
  readonly #options: ProofsOptions

  constructor(options: ProofsOptions) {
    this.#options = options
  }

  /**
   * Gives the thumbprint of the key that the client holds.
   *
   * @param expected the only one that will do, if it is known
   * @throws FlotillaError `unauthenticated`.
   */
  async check(proof: string, request: ProvenRequest, expected?: string): Promise<string> {
    const { header, claims } = readJws(proof, PROOF_CHARS_MAX, refusedProof)
    const key = await keyOf(header)
    const thumbprint = await calculateJwkThumbprint(header['jwk'] as JWK)
    if (expected !== undefined && thumbprint !== expected) throw refusedProof('another key')
    const rule = this.#broken(claims, request)
    if (rule !== undefined) throw refusedProof(rule)
    await checkSignature(proof, key)
    if (!(await this.#options.used.claim(thumbprint, claims['jti'] as string))) throw refusedProof('used')
    return thumbprint
  }

  /** Which rule its claims break. */
  #broken(
    { jti, htm, htu, iat, ath }: Readonly<Record<string, unknown>>,
    { method, path, token }: ProvenRequest,
  ): ProofRule | undefined {
    const { clock, origins } = this.#options
    const nowS = clock.now() / 1000
    if (typeof jti !== 'string' || jti === '' || jti.length > ID_CHARS_MAX) return 'id'
    if (htm !== method) return 'method'
    if (typeof htu !== 'string' || !isMadeFor(htu, origins, path)) return 'target'
    if (!Number.isSafeInteger(iat)) return 'time'
    if ((iat as number) < nowS - LIFETIME_S || (iat as number) > nowS + LEEWAY_S) return 'time'
    return ath === (token && createHash('sha256').update(token).digest('base64url')) ? undefined : 'token'
  }
}

/** @throws FlotillaError `unauthenticated` when its header is not that of a proof. */
async function keyOf(header: Readonly<Record<string, unknown>>): Promise<VerificationKey> {
  const { typ, alg, jwk } = header
  if (typ !== 'dpop+jwt') throw refusedProof('type')
  if (isSteered(header, 'jwk')) throw refusedProof('steering header')
  const algorithm = PROOF_ALGORITHMS.find((one) => one === alg)
  if (algorithm === undefined) throw refusedProof('algorithm')
  if (typeof jwk !== 'object' || jwk === null || !isPublic(jwk)) throw refusedProof('key')
  const key = await readKey(jwk as JWK, [algorithm])
  if (typeof key === 'string') throw refusedProof('key')
  return key
}

/** Without secrets, and written in the one way in which its thumbprint is its own. */
function isPublic(jwk: object): boolean {
  const members = Object.entries(jwk)
  if (members.some(([name]) => SECRET_MEMBERS.includes(name))) return false
  return members.every(
    ([name, value]) =>
      !['x', 'y', 'n', 'e'].includes(name) ||
      (typeof value === 'string' && Buffer.from(value, 'base64url').toString('base64url') === value),
  )
}

async function checkSignature(proof: string, { algorithm, key }: VerificationKey): Promise<void> {
  try {
    await compactVerify(proof, key, { algorithms: [algorithm] })
  } catch {
    // Whatever is wrong with it, it does not verify.
    throw refusedProof('signature')
  }
}
