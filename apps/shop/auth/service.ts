/**
 * The service of accounts, sessions and API keys.
 *
 * @module
 */
import { isoTime } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import { type Context, defineService, type OperationContext } from '@flotilla/core/service'
import { auth, type Session } from '../contracts/auth.ts'
import { LIFETIME_S, signAccessToken } from './access-token.ts'
import { type Account, accountByEmail, accountById, canonicalEmail, insertAccount } from './accounts.ts'
import { createKey, deleteKey, listKeys, userOfKey } from './api-keys.ts'
import { countFailure, forgetFailures, remainingLockoutMs } from './login-failures.ts'
import { Passwords } from './passwords.ts'
import { prune } from './prune.ts'
import { endSession, rotate, startSession } from './refresh-tokens.ts'
import { Seal } from './sealing.ts'
import { digest } from './secrets.ts'
import { seedAccounts } from './seed.ts'
import { AuthSettings } from './settings.ts'
import { SigningKeys } from './signing-keys.ts'
import { isWeakPassword } from './weak-password.ts'

const KEYS_OPEN_MS = 10_000
const KEYS_REFRESH_MS = 60_000
const PRUNE_MS = 600_000

/** The auth service. */
export const authService = defineService({
  contract: auth,
  config: AuthSettings,
  database: { migrations: 'auth/migrations' },
  seed: seedAccounts,
  async open({ config, random, metrics, run, every }) {
    if (config.sealingKey === undefined) {
      throw new FlotillaError(
        'failed_precondition',
        'AUTH_SEALING_KEY is not set: 22 random characters or more.',
      )
    }
    const passwords = new Passwords(random, metrics)
    await passwords.warm()
    const keys = new SigningKeys(new Seal(config.sealingKey, random))
    const refreshKeys = (ctx: Context): Promise<void> => keys.refresh(ctx)
    await run('read signing keys', KEYS_OPEN_MS, refreshKeys)
    every('refresh signing keys', KEYS_REFRESH_MS, refreshKeys)
    every('forget what has run out', PRUNE_MS, prune)

    const accessTokenFor = (ctx: Context, account: Account): Promise<string> =>
      signAccessToken(keys.current(ctx.clock.now()), account, ctx)

    return {
      async register({ email: typed, password, name }, ctx) {
        const email = canonicalEmail(typed)
        if (isWeakPassword(password, { email, name })) throw ctx.fail('weak_password')
        const hash = await passwords.withPlace(ctx.signal, (hasher) => hasher.hash(password))
        const createdAt = isoTime(ctx.clock.now())
        const account = { id: ctx.newId(), email, name, roles: ['customer'], tier: 'free', createdAt }
        const accessToken = await accessTokenFor(ctx, account)
        return ctx.commit(async (tx) => {
          if (!(await insertAccount(tx, account, hash))) throw ctx.fail('email_taken')
          return sessionOf(account, accessToken, await startSession(tx, ctx, account.id))
        })
      },

      async login({ email: typed, password }, ctx) {
        const email = canonicalEmail(typed)
        const account = await checkPassword(passwords, email, password, ctx)
        const accessToken = await accessTokenFor(ctx, account)
        return ctx.commit(async (tx) => {
          await forgetFailures(tx, digest(email))
          return sessionOf(account, accessToken, await startSession(tx, ctx, account.id))
        })
      },

      async refresh({ refreshToken }, ctx) {
        const rotated = await rotate(ctx, refreshToken)
        if (rotated === undefined) throw ctx.fail('bad_token')
        const { account, token } = rotated
        return sessionOf(account, await accessTokenFor(ctx, account), token)
      },

      async logout({ refreshToken }, ctx) {
        await endSession(ctx, refreshToken)
        return {}
      },

      async me(_, ctx) {
        const account = await accountById(ctx.db, ctx.user.id)
        if (account === undefined) throw ctx.fail('gone')
        return account
      },

      async contact(_, ctx) {
        const account = await accountById(ctx.db, ctx.user.id)
        if (account === undefined) throw ctx.fail('gone')
        return { email: account.email }
      },

      createApiKey: (input, ctx) => createKey(ctx, input),

      listApiKeys: async (_, ctx) => ({ items: await listKeys(ctx, ctx.user.id) }),

      async deleteApiKey({ id }, ctx) {
        await deleteKey(ctx.db, ctx.user.id, id)
        return {}
      },

      verifyApiKey: async ({ key }, ctx) => ({ user: await userOfKey(ctx, key) }),

      jwks: () => ({ keys: [...keys.published] }),
    }
  },
})

function sessionOf({ id, email, name, roles }: Account, accessToken: string, refreshToken: string): Session {
  const user = { id, email, name, roles: [...roles] }
  return { user, accessToken, refreshToken, tokenType: 'Bearer', expiresIn: LIFETIME_S }
}

/**
 * The account with that address and password. For an address without an account the same is done and said as for a wrong
 * password.
 */
function checkPassword(
  passwords: Passwords,
  email: string,
  password: string,
  ctx: OperationContext<typeof auth.operations.login.reasons>,
): Promise<Account> {
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
