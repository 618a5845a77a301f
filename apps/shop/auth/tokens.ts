/**
 * What somebody gets who has logged in, in whatever way.
 *
 * @module
 */
import type { Context } from '@flotilla/core/service'
import type { Session } from '../contracts/account.ts'
import { LIFETIME_S, signAccessToken } from './access-token.ts'
import type { Account } from './accounts.ts'
import type { NewSession } from './refresh-tokens.ts'
import type { SigningKeys } from './signing-keys.ts'

/** The tokens of a session. */
export async function tokensOf(
  ctx: Context,
  keys: SigningKeys,
  account: Account,
  session: NewSession,
): Promise<Session> {
  const { id, email, name, roles } = account
  return {
    user: { id, email, name, roles: [...roles] },
    accessToken: await signAccessToken(keys.current(ctx.clock.now()), account, session, ctx),
    refreshToken: session.token,
    tokenType: session.provenKey === undefined ? 'Bearer' : 'DPoP',
    expiresIn: LIFETIME_S,
  }
}
