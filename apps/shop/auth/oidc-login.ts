/**
 * Coming in by an identity provider.
 *
 * Whom a provider speaks of is decided by its name and the name it has for them, never by an e-mail address: the shop does not check
 * the addresses of those who register, and a provider's may have had another owner. So an address that has an account is
 * refused, and so is one that the provider has not verified: mails of the shop would go to somebody else.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import { isoTime } from '@flotilla/core/clock'
import type { HttpClient } from '@flotilla/core/http-client'
import type { Handlers, OperationContext } from '@flotilla/core/service'
import type { auth } from '../contracts/auth.ts'
import { type Account, canonicalEmail, holdAccount, insertAccount } from './accounts.ts'
import { endSurplusSessions } from './ended-sessions.ts'
import { accountOf, insertIdentity } from './identities.ts'
import {
  claimReturn,
  type Flow,
  isLocalPath,
  newFlow,
  openFlow,
  openWaiting,
  sealFlow,
  sealWaiting,
} from './oidc-flow.ts'
import { OidcProvider, type Person } from './oidc-provider.ts'
import { providersOf } from './oidc-settings.ts'
import { newSession, rotate, startSession } from './refresh-tokens.ts'
import type { Seal } from './sealing.ts'
import type { AuthSettings } from './settings.ts'
import type { SigningKeys } from './signing-keys.ts'
import { tokensOf } from './tokens.ts'

/** What it takes. */
export interface OidcOptions {
  readonly config: AuthSettings
  readonly http: HttpClient
  readonly clock: Clock
  readonly keys: SigningKeys
  readonly seal: Seal
}

type Own = 'startOidc' | 'finishOidc' | 'takeOidcSession'
type FinishContext = OperationContext<typeof auth.operations.finishOidc.reasons>

const NAME_CHARS_MAX = 100
/** As the contract of `register` has it. */
const EMAIL_CHARS_MAX = 254
const EMAIL = /^[^\s@]+@[^\s@]+$/

/**
 * Handles those operations.
 *
 * @throws FlotillaError `failed_precondition` when the settings are wrong.
 */
export function oidcLogin(options: OidcOptions): Pick<Handlers<typeof auth>, Own> {
  const { config, http, clock, keys, seal } = options
  const publicUrl = (config.publicUrl === '' ? config.gatewayUrl : config.publicUrl).replace(/\/$/, '')
  const providers = new Map(
    providersOf(config).map((its) => [its.name, new OidcProvider(its, publicUrl, http, clock)]),
  )
  return {
    async startOidc({ provider: name, returnTo }, ctx) {
      const provider = providers.get(name)
      if (provider === undefined) throw ctx.fail('no_provider')
      if (returnTo !== undefined && !isLocalPath(returnTo)) throw ctx.fail('bad_return')
      const flow = newFlow(ctx.random, ctx.clock.now(), name, returnTo)
      return { url: await provider.authorizationUrl(flow), login: sealFlow(seal, flow) }
    },

    async finishOidc({ provider: name, login = '', ...response }, ctx) {
      const provider = providers.get(name)
      if (provider === undefined) throw ctx.fail('no_provider')
      const flow = openFlow(seal, login, ctx.clock.now())
      if (flow === undefined || flow.provider !== name || flow.state !== response.state)
        throw ctx.fail('not_begun_here')
      if (!(await claimReturn(ctx.db, flow))) throw ctx.fail('not_begun_here')
      const person = await provider.personOf(flow, response)
      if ('why' in person) {
        ctx.log.warn('a login at an identity provider came to nothing', { provider: name, ...person })
        throw ctx.fail(person.why)
      }
      return logIn(person, flow, options, ctx)
    },

    async takeOidcSession({ login: waiting = '', provenKey }, ctx) {
      const refreshToken = openWaiting(seal, waiting, ctx.clock.now())
      const rotated = refreshToken && (await rotate(ctx, refreshToken, provenKey))
      if (rotated === undefined || typeof rotated === 'string') throw ctx.fail('no_login')
      return { ...(await tokensOf(ctx, keys, rotated.account, rotated.session)), login: '' }
    },
  }
}

async function logIn(
  person: Person,
  { returnTo }: Pick<Flow, 'returnTo'>,
  { keys, seal }: Pick<OidcOptions, 'keys' | 'seal'>,
  ctx: FinishContext,
) {
  const known = await accountOf(ctx.db, person)
  const account = known ?? newAccount(person, ctx)
  const session = newSession(ctx.random, undefined)
  const tokens = await tokensOf(ctx, keys, account, session)
  return ctx.commit(async (tx) => {
    if (known === undefined) {
      // Two first logins at the same time: the second is told so, and is known when it tries again.
      if (!(await insertAccount(tx, account))) throw ctx.fail('email_taken')
      await insertIdentity(tx, person, account.id)
    } else {
      const held = await holdAccount(tx, account.id)
      if (held?.isBlocked !== false) throw ctx.fail('blocked')
    }
    await startSession(tx, ctx, account.id, session)
    await endSurplusSessions(tx, account.id)
    if (returnTo === undefined) return { ...tokens, login: '' }
    return { ...tokens, returnTo, login: sealWaiting(seal, session.token, ctx.clock.now()) }
  })
}

/** @throws FlotillaError with the reason `no_email`. */
function newAccount({ email = '', isEmailVerified, name = '' }: Person, ctx: FinishContext): Account {
  if (!isEmailVerified || email.length > EMAIL_CHARS_MAX || !EMAIL.test(email)) throw ctx.fail('no_email')
  const shown = name.trim().slice(0, NAME_CHARS_MAX)
  return {
    id: ctx.newId(),
    email: canonicalEmail(email),
    name: shown === '' ? (email.split('@', 1)[0] as string).slice(0, NAME_CHARS_MAX) : shown,
    roles: ['customer'],
    tier: 'free',
    createdAt: isoTime(ctx.clock.now()),
  }
}
