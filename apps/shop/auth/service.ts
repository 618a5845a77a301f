/**
 * The service of accounts, sessions and API keys.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import { type Context, defineService } from '@flotilla/core/service'
import { auth } from '../contracts/auth.ts'
import { accountById, setBlocked } from './accounts.ts'
import { createKey, deleteKey, listKeys, tellOfKeysOf, userOfKey } from './api-keys.ts'
import { endedSessionsAfter, endSessionsOf } from './ended-sessions.ts'
import { loggingIn } from './logging-in.ts'
import { oidcLogin } from './oidc-login.ts'
import { Passwords } from './passwords.ts'
import { prune } from './prune.ts'
import { Seal } from './sealing.ts'
import { seedAccounts } from './seed.ts'
import { AuthSettings } from './settings.ts'
import { SigningKeys } from './signing-keys.ts'

const KEYS_OPEN_MS = 10_000
const KEYS_REFRESH_MS = 60_000
const PRUNE_MS = 600_000

/** The auth service. */
export const authService = defineService({
  contract: auth,
  config: AuthSettings,
  database: { migrations: 'auth/migrations' },
  seed: seedAccounts,
  async open({ config, clock, http, random, metrics, run, every }) {
    if (config.sealingKey === undefined) {
      throw new FlotillaError(
        'failed_precondition',
        'AUTH_SEALING_KEY is not set: 22 random characters or more.',
      )
    }
    const passwords = new Passwords(random, metrics)
    await passwords.warm()
    const seal = new Seal(config.sealingKey, random)
    const keys = new SigningKeys(seal)
    const refreshKeys = (ctx: Context): Promise<void> => keys.refresh(ctx)
    await run('read signing keys', KEYS_OPEN_MS, refreshKeys)
    every('refresh signing keys', KEYS_REFRESH_MS, refreshKeys)
    every('forget what has run out', PRUNE_MS, prune)

    return {
      ...loggingIn(passwords, keys),
      ...oidcLogin({ config, http, clock, keys, seal }),

      blockUser({ id }, ctx) {
        if (id === ctx.user.id) throw ctx.fail('yourself')
        return ctx.commit(async (tx) => {
          if (!(await setBlocked(tx, id, true))) throw ctx.fail('no_user')
          await endSessionsOf(tx, id)
          await tellOfKeysOf(tx, id)
          return {}
        })
      },

      async unblockUser({ id }, ctx) {
        if (!(await setBlocked(ctx.db, id, false))) throw ctx.fail('no_user')
        return {}
      },

      endedSessions: ({ after, limit }, ctx) => endedSessionsAfter(ctx.db, after, limit),

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
