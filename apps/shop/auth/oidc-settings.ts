/**
 * Which identity providers there are, by the service's settings.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import { closed, lazyCheck, type Static, Type } from '@flotilla/core/schema'
import type { AuthSettings } from './settings.ts'

/** The schema of one. */
const ProviderSettings = Type.Object({
  /** In the paths of its logins. */
  name: Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$' }),
  issuer: Type.String({ maxLength: 500 }),
  clientId: Type.String({ minLength: 1, maxLength: 500 }),
  clientSecret: Type.String({ minLength: 16, maxLength: 500 }),
  /** What its identity tokens are signed with; nothing else is taken. */
  algorithm: Type.Enum(['ES256', 'RS256', 'PS256', 'EdDSA']),
})

/** The settings of one. */
export type ProviderSettings = Static<typeof ProviderSettings>

const PROVIDERS_MAX = 10
const check = lazyCheck(Type.Array(closed(ProviderSettings), { maxItems: PROVIDERS_MAX }))

/** Of the demo provider. */
const DEMO = { name: 'demo', clientId: 'shop', algorithm: 'ES256' } as const

/**
 * All of them, the demo provider among them where there is one.
 *
 * @throws FlotillaError `failed_precondition` that says what is wrong.
 */
export function providersOf(config: AuthSettings): readonly ProviderSettings[] {
  const { oidcProviders, demoLogin, demoProviderUrl, demoProviderSecret } = config
  const providers = [...read(oidcProviders)]
  if (demoLogin && demoProviderUrl !== '' && demoProviderSecret !== undefined)
    providers.push({ ...DEMO, issuer: demoProviderUrl, clientSecret: demoProviderSecret })
  for (const { name, issuer } of providers) {
    if (!isSafe(issuer)) throw wrong(`the issuer of ${name} is no https URL`)
    if (providers.filter((one) => one.name === name || one.issuer === issuer).length > 1)
      throw wrong(`${name}, or its issuer, is there twice`)
  }
  return providers
}

function read(text: string): readonly ProviderSettings[] {
  let providers: unknown
  try {
    providers = JSON.parse(text)
  } catch {
    // The text is not shown: there are secrets in it.
    throw wrong('it is no JSON')
  }
  const [issue] = check(providers) ?? []
  if (issue !== undefined) throw wrong(`${issue.pointer} ${issue.message}`)
  return providers as readonly ProviderSettings[]
}

/** Plain text only where it does not leave the machine. */
function isSafe(issuer: string): boolean {
  if (!URL.canParse(issuer)) return false
  const { protocol, hostname } = new URL(issuer)
  return protocol === 'https:' || (protocol === 'http:' && hostname === '127.0.0.1')
}

function wrong(why: string): FlotillaError {
  return new FlotillaError('failed_precondition', `AUTH_OIDC_PROVIDERS is not usable: ${why}.`)
}
