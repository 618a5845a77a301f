/**
 * Access tokens: what the gateway believes for a quarter of an hour, without asking us.
 *
 * @source RFC 9068 (JWT profile for access tokens); RFC 9449, section 6.1 (`jkt`)
 * @module
 */
import type { Ports } from '@flotilla/core/context'
import { SignJWT } from 'jose'
import { AUDIENCE, ISSUER } from '../contracts/tokens.ts'
import type { Account } from './accounts.ts'
import type { NewSession } from './refresh-tokens.ts'
import { ALGORITHM, type SigningKey } from './signing-keys.ts'

/** How long one is good for: the longest that the gateway accepts. */
export const LIFETIME_S = 15 * 60

/** Signs a token for a user, of a session of theirs; bound to its key, if it has one. */
export function signAccessToken(
  key: SigningKey,
  { id, roles, tier }: Pick<Account, 'id' | 'roles' | 'tier'>,
  { id: sessionId, provenKey }: Pick<NewSession, 'id' | 'provenKey'>,
  { clock, newId }: Pick<Ports, 'clock' | 'newId'>,
): Promise<string> {
  const nowS = Math.floor(clock.now() / 1000)
  const binding = provenKey === undefined ? {} : { cnf: { jkt: provenKey } }
  return new SignJWT({ roles, tier, sid: sessionId, ...binding })
    .setProtectedHeader({ alg: ALGORITHM, typ: 'at+jwt', kid: key.kid })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(id)
    .setJti(newId())
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + LIFETIME_S)
    .sign(key.privateKey)
}
