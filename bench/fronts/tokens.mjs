/**
 * The access token that every front checks but the bare ones: ES256, by an issuer, for an audience.
 *
 * @module
 */
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose'

export const ISSUER = 'https://bench.test'
export const AUDIENCE = 'bench'

/** A token good for ten minutes, and its public key in both of its forms. */
export async function createTokens() {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const bearer = await new SignJWT({ roles: ['user'], tier: 'premium' })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'at+jwt' })
    .setSubject('anna')
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(privateKey)
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }
  return { bearer, jwk, pem: await exportSPKI(publicKey) }
}
