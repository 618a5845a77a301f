/**
 * Who asks: by an access token, by an API key, by the certificate of its connection, or nobody in particular.
 *
 * A token that is bound to a certificate (RFC 8705) is worth nothing without it. A certificate alone stands for a user where the app says
 * so, and not for a page in a browser: browsers show certificates also for pages of others.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import { FlotillaError } from '@flotilla/core/error'
import type { VerifiedToken } from '../auth/access-token.ts'
import type { ClientCertificate } from '../http/certificate.ts'
import type { RequestHead } from '../match/request-head.ts'
import type { Edge } from './equipment.ts'

type Credentials = Pick<RequestHead, 'authorization' | 'apiKey' | 'origin'>
type Checks = Pick<Edge, 'accessTokens' | 'apiKeys' | 'userOfCertificate'> & {
  readonly runtime: Pick<Edge['runtime'], 'clock'>
}

/**
 * Who asks, where that is known at once; undefined: nobody in particular; `unknown`: `authenticate` has to be asked.
 *
 * @throws FlotillaError `unauthenticated` when it cannot be told.
 */
export function knownUser(
  checks: Checks,
  { authorization, apiKey, origin }: Credentials,
  certificate: ClientCertificate | undefined,
): User | undefined | 'unknown' {
  if (certificate !== undefined && certificate.expiresAtMs <= checks.runtime.clock.now())
    throw unauthenticated('The certificate of this connection has expired.')
  if (authorization === undefined && apiKey === undefined) {
    if (certificate === undefined || origin !== undefined) return undefined
    return checks.userOfCertificate(certificate)
  }
  if (authorization !== undefined && apiKey !== undefined)
    throw unauthenticated('Send an access token or an API key, not both.')
  if (authorization === undefined) return 'unknown'
  const known = checks.accessTokens.known(bearer(authorization))
  return known === undefined ? 'unknown' : userOfToken(known, certificate)
}

/** @throws FlotillaError `unauthenticated`; `unavailable` when what it takes to check it cannot be had. */
export async function authenticate(
  { accessTokens, apiKeys }: Checks,
  { authorization, apiKey = '' }: Credentials,
  certificate: ClientCertificate | undefined,
): Promise<User> {
  if (authorization === undefined) return await apiKeys.verify(apiKey)
  return userOfToken(await accessTokens.verify(bearer(authorization)), certificate)
}

function userOfToken({ user, thumbprint }: VerifiedToken, certificate: ClientCertificate | undefined): User {
  if (thumbprint === undefined || thumbprint === certificate?.thumbprint) return user
  throw unauthenticated('The access token is bound to another certificate.')
}

function bearer(authorization: string): string {
  if (/^bearer /i.test(authorization)) return authorization.slice('bearer '.length)
  throw unauthenticated('Send the access token as: Authorization: Bearer …')
}

function unauthenticated(message: string): FlotillaError {
  return new FlotillaError('unauthenticated', message, { executed: 'no' })
}
