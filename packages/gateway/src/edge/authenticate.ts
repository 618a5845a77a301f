/**
 * Who asks: by an access token, by an API key, by the certificate of its connection, or nobody in particular.
 *
 * A token that is bound to a certificate (RFC 8705) or to a key (RFC 9449) is worth nothing without it. One that is bound to a key comes by
 * the scheme `DPoP` with a proof, and by no other; one that is not comes as `Bearer`. Operations that bind something to a key of the client
 * (`provenKey` of a route) look at a proof whoever asks.
 *
 * A certificate alone stands for a user where the app says so, and not for a page in a browser: browsers show certificates also for
 * pages of others.
 *
 * @module
 */
import { FlotillaError, isFlotillaError } from '@flotilla/core/error'
import type { Operation } from '@flotilla/core/operation'
import type { VerifiedToken } from '../auth/access-token.ts'
import { refusedBinding, refusedProof } from '../auth/token-refusal.ts'
import type { ClientCertificate } from '../http/certificate.ts'
import type { Turn } from '../http/turn.ts'
import type { RequestHead } from '../match/request-head.ts'
import type { Asker } from './asker.ts'
import type { Edge } from './equipment.ts'

type Credentials = Pick<RequestHead, 'authorization' | 'apiKey' | 'origin' | 'path' | 'rawHeaders'>
type Checks = Pick<Edge, 'accessTokens' | 'apiKeys' | 'proofs' | 'userOfCertificate'> & {
  readonly runtime: Pick<Edge['runtime'], 'clock'>
}
type Asked = Pick<Turn, 'method'> & { readonly peer: Pick<Turn['peer'], 'certificate'> }

const BEARER = /^bearer /i
const DPOP = /^dpop /i

/**
 * Who asks, where that is known at once; undefined: nobody in particular; `unknown`: `authenticate` has to be asked.
 *
 * @param operation what is asked for; undefined: a foreign server is
 * @throws FlotillaError `unauthenticated` when it cannot be told.
 */
export function knownAsker(
  checks: Checks,
  { peer: { certificate } }: Asked,
  head: Credentials,
  operation: Operation | undefined,
): Asker | undefined | 'unknown' {
  if (certificate !== undefined && certificate.expiresAtMs <= checks.runtime.clock.now())
    throw unauthenticated('The certificate of this connection has expired.')
  const { authorization, apiKey } = head
  if (authorization !== undefined && apiKey !== undefined)
    throw unauthenticated('Send an access token or an API key, not both.')
  if (apiKey !== undefined || bringsProof(operation, head)) return 'unknown'
  if (authorization === undefined) return byCertificate(checks, head, certificate)
  const token = bearerIn(authorization)
  const known = token === undefined ? undefined : checks.accessTokens.known(token)
  return known === undefined ? 'unknown' : asBearer(known, certificate)
}

/** @throws FlotillaError `unauthenticated`; `unavailable` when what it takes to check it cannot be had. */
export async function authenticate(
  checks: Checks,
  { method, peer: { certificate } }: Asked,
  head: Credentials,
  operation: Operation | undefined,
): Promise<Asker> {
  const { authorization, apiKey, path } = head
  const token = authorization === undefined ? undefined : bearerIn(authorization)
  if (authorization !== undefined && token === undefined) {
    const shown = authorization.slice('dpop '.length)
    const { user, isOver, binding } = await checks.accessTokens.verify(shown).catch(refuseToken)
    if (binding?.to !== 'jkt') throw refusedBinding('The access token is bound to no key: send it as Bearer.')
    const request = { method, path, token: shown }
    return { user, isOver, provenKey: await checks.proofs.check(proofIn(head), request, binding.thumbprint) }
  }
  let asker: Asker | undefined
  if (token !== undefined) asker = asBearer(await checks.accessTokens.verify(token), certificate)
  else if (apiKey !== undefined) asker = await checks.apiKeys.verify(apiKey)
  else asker = byCertificate(checks, head, certificate)
  if (!bringsProof(operation, head)) return { user: undefined, ...asker }
  const provenKey = await checks.proofs.check(proofIn(head), { method, path, token })
  return { user: undefined, ...asker, provenKey }
}

function asBearer(token: VerifiedToken, certificate: ClientCertificate | undefined): Asker {
  const { binding } = token
  if (binding === undefined) return token
  if (binding.to === 'jkt') throw refusedBinding('The access token is bound to a key: send it as DPoP.')
  if (binding.thumbprint === certificate?.thumbprint) return token
  throw unauthenticated('The access token is bound to another certificate.')
}

function byCertificate(
  { userOfCertificate }: Checks,
  { origin }: Credentials,
  certificate: ClientCertificate | undefined,
): Asker | undefined {
  if (certificate === undefined || origin !== undefined) return undefined
  const user = userOfCertificate(certificate)
  return user && { user }
}

/**
 * The token that is shown as `Bearer`; undefined: it is shown as `DPoP`.
 *
 * @throws FlotillaError `unauthenticated` for any other scheme.
 */
function bearerIn(authorization: string): string | undefined {
  if (BEARER.test(authorization)) return authorization.slice('bearer '.length)
  if (DPOP.test(authorization)) return undefined
  throw unauthenticated('Send the access token as: Authorization: Bearer …')
}

function bringsProof(operation: Operation | undefined, { rawHeaders }: Credentials): boolean {
  return operation?.rest?.provenKey !== undefined && proofsIn(rawHeaders).length > 0
}

/** @throws FlotillaError `unauthenticated` when there is not one. */
function proofIn({ rawHeaders }: Credentials): string {
  const [proof, ...others] = proofsIn(rawHeaders)
  if (proof === undefined || others.length > 0) throw refusedProof('count')
  return proof
}

function proofsIn(rawHeaders: readonly string[]): readonly string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'dpop')
}

/** The same, as who came by the scheme `DPoP` is told. */
function refuseToken(error: unknown): never {
  if (!isFlotillaError(error) || error.code !== 'unauthenticated') throw error
  throw refusedBinding(error.message)
}

function unauthenticated(message: string): FlotillaError {
  return new FlotillaError('unauthenticated', message, { executed: 'no' })
}
