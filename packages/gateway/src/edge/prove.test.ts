/**
 * Clients for tests that prove to hold a key.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'

/** Such a client. */
export interface Prover {
  readonly thumbprint: string
  /** A proof for a request, fresh unless `claims` say otherwise. */
  prove(method: string, url: string, token?: string, claims?: object): Promise<string>
  /** The headers of a request with a token that is bound to the key. */
  headers(method: string, url: string, token: string): Promise<Record<string, string>>
}

/** One with a key of its own. @param now wall-clock milliseconds, as the gateway has them */
export async function openProver(now: () => number): Promise<Prover> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  let made = 0
  const prove: Prover['prove'] = (method, url, token, claims = {}) =>
    new SignJWT({
      htm: method,
      htu: url,
      jti: `proof-${++made}`,
      iat: Math.floor(now() / 1000),
      ...(token && { ath: createHash('sha256').update(token).digest('base64url') }),
      ...claims,
    })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
      .sign(privateKey)
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    prove,
    async headers(method, url, token) {
      return { authorization: `DPoP ${token}`, dpop: await prove(method, url, token) }
    },
  }
}
