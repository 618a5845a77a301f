/**
 * Who asks: by an access token, by an API key, or nobody in particular.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import { FlotillaError } from '@flotilla/core/error'
import type { RequestHead } from '../match/request-head.ts'
import type { Edge } from './equipment.ts'

type Credentials = Pick<RequestHead, 'authorization' | 'apiKey'>
type Checks = Pick<Edge, 'accessTokens' | 'apiKeys'>

/**
 * Who asks, where that is known at once; undefined: nobody in particular; `unknown`: `authenticate` has to be asked.
 *
 * @throws FlotillaError `unauthenticated` when it cannot be told.
 */
export function knownUser(
  { accessTokens }: Checks,
  { authorization, apiKey }: Credentials,
): User | undefined | 'unknown' {
  if (authorization === undefined && apiKey === undefined) return undefined
  if (authorization !== undefined && apiKey !== undefined) {
    throw new FlotillaError('unauthenticated', 'Send an access token or an API key, not both.', {
      executed: 'no',
    })
  }
  if (authorization === undefined) return 'unknown'
  return accessTokens.known(bearer(authorization))?.user ?? 'unknown'
}

/** @throws FlotillaError `unauthenticated`; `unavailable` when what it takes to check it cannot be had. */
export async function authenticate(
  { accessTokens, apiKeys }: Checks,
  { authorization, apiKey = '' }: Credentials,
): Promise<User> {
  if (authorization === undefined) return await apiKeys.verify(apiKey)
  return (await accessTokens.verify(bearer(authorization))).user
}

function bearer(authorization: string): string {
  if (/^bearer /i.test(authorization)) return authorization.slice('bearer '.length)
  throw new FlotillaError('unauthenticated', 'Send the access token as: Authorization: Bearer …', {
    executed: 'no',
  })
}
