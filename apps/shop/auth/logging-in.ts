/**
 * Coming in by a password, staying in, and leaving.
 *
 * @module
 */
import { isoTime } from '@flotilla/core/clock'
import type { Context, Handlers, OperationContext } from '@flotilla/core/service'
import type { auth } from '../contracts/auth.ts'
import {
  type Account,
  accountByEmail,
  accountById,
  canonicalEmail,
  changePasswordHash,
  holdAccount,
  insertAccount,
  type PasswordOf,
} from './accounts.ts'
import { endSessionsOf, endSurplusSessions } from './ended-sessions.ts'
import { countFailure, forgetFailures, remainingLockoutMs } from './login-failures.ts'
import type { Passwords } from './passwords.ts'
import { endSession, newSession, rotate, startSession } from './refresh-tokens.ts'
import { digest } from './secrets.ts'
import type { SigningKeys } from './signing-keys.ts'
import { tokensOf } from './tokens.ts'
import { isWeakPassword } from './weak-password.ts'

type Own = 'register' | 'login' | 'refresh' | 'logout' | 'logoutEverywhere' | 'changePassword'

/** Handles those operations. */
export function loggingIn(passwords: Passwords, keys: SigningKeys): Pick<Handlers<typeof auth>, Own> {
  return {
    async register({ email: typed, password, name, provenKey }, ctx) {
      const email = canonicalEmail(typed)
      if (isWeakPassword(password, { email, name })) throw ctx.fail('weak_password')
      const hash = await passwords.withPlace(ctx.signal, (hasher) => hasher.hash(password))
      const createdAt = isoTime(ctx.clock.now())
      const account = { id: ctx.newId(), email, name, roles: ['customer'], tier: 'free', createdAt }
      const session = newSession(ctx.random, provenKey)
      const tokens = await tokensOf(ctx, keys, account, session)
      return ctx.commit(async (tx) => {
        if (!(await insertAccount(tx, account, hash))) throw ctx.fail('email_taken')
        await startSession(tx, ctx, account.id, session)
        return tokens
      })
    },

    async login({ email: typed, password, provenKey }, ctx) {
      const email = canonicalEmail(typed)
      const account = await checkPassword(passwords, email, password, ctx)
      const session = newSession(ctx.random, provenKey)
      const tokens = await tokensOf(ctx, keys, account, session)
      return ctx.commit(async (tx) => {
        const held = await holdAccount(tx, account.id, account.passwordHash)
        if (held === undefined) throw ctx.fail('bad_credentials')
        if (held.isBlocked) throw ctx.fail('blocked')
        await forgetFailures(tx, digest(email))
        await startSession(tx, ctx, account.id, session)
        await endSurplusSessions(tx, account.id)
        return tokens
      })
    },

    async refresh({ refreshToken, provenKey }, ctx) {
      const rotated = await rotate(ctx, refreshToken, provenKey)
      if (typeof rotated === 'string') throw ctx.fail(rotated)
      return tokensOf(ctx, keys, rotated.account, rotated.session)
    },

    async logout({ refreshToken }, ctx) {
      await endSession(ctx, refreshToken)
      return {}
    },

    async logoutEverywhere(_, ctx) {
      await endSessionsOf(ctx.db, ctx.user.id)
      return {}
    },

    async changePassword({ currentPassword, newPassword, provenKey }, ctx) {
      const account = await accountById(ctx.db, ctx.user.id)
      if (account === undefined) throw ctx.fail('gone')
      if (isWeakPassword(newPassword, account)) throw ctx.fail('weak_password')
      const { email } = account
      const { passwordHash: from } = await checkPassword(passwords, email, currentPassword, ctx)
      const to = await passwords.withPlace(ctx.signal, (hasher) => hasher.hash(newPassword))
      const session = newSession(ctx.random, provenKey)
      const tokens = await tokensOf(ctx, keys, account, session)
      return ctx.commit(async (tx) => {
        const hasChanged = await changePasswordHash(tx, account.id, { from, to })
        if (!hasChanged) throw ctx.fail('bad_credentials')
        await forgetFailures(tx, digest(email))
        await endSessionsOf(tx, account.id)
        await startSession(tx, ctx, account.id, session)
        return tokens
      })
    },
  }
}

type PasswordContext = Context & {
  fail: OperationContext<Pick<typeof auth.operations.login.reasons, 'bad_credentials' | 'locked_out'>>['fail']
}

/**
 * The account with that address and password. For an address without an account the same is done and said as for a wrong
 * password.
 */
function checkPassword(
  passwords: Passwords,
  email: string,
  password: string,
  ctx: PasswordContext,
): Promise<Account & PasswordOf> {
  const emailHash = digest(email)
  // The lock is looked at with a place in hand: those who wait for theirs have not looked yet, so a crowd cannot slip past it.
  return passwords.withPlace(ctx.signal, async (hasher) => {
    const retryAfterMs = await remainingLockoutMs(ctx, emailHash)
    if (retryAfterMs > 0) {
      ctx.log.warn('a login with a locked address', { retryAfterMs })
      throw ctx.fail('locked_out', undefined, { retryAfterMs })
    }
    const account = await accountByEmail(ctx.db, email)
    const isRight = await hasher.matches(password, account?.passwordHash)
    if (account !== undefined && isRight) return account
    await countFailure(ctx, emailHash)
    ctx.log.info('a login failed', { account: account?.id ?? 'none' })
    throw ctx.fail('bad_credentials')
  })
}
