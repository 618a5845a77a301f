/**
 * One identity provider, as its client: OpenID Connect with an authorization code and a proof key.
 *
 * The protocol is `openid-client`'s, loaded when the first login sets out. It is told to be strict where it leaves a choice: identity
 * tokens are signed with the one algorithm that the provider was configured with, and signatures are checked though the tokens
 * come from the provider directly. Requests go out by the runtime's HTTP port.
 *
 * @source OpenID Connect Core 1.0; RFC 7636 (PKCE); RFC 9207 (`iss` of the response); RFC 9700 (best current practice)
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError, isFlotillaError } from '@flotilla/core/error'
import type { HttpClient, HttpRequest } from '@flotilla/core/http-client'
import type { Configuration, CustomFetch, IDToken } from 'openid-client'
import { challengeOf, type Flow } from './oidc-flow.ts'
import type { ProviderSettings } from './oidc-settings.ts'

/** What a provider says of somebody. */
export interface Person {
  readonly issuer: string
  readonly subject: string
  readonly email: string | undefined
  readonly isEmailVerified: boolean
  readonly name: string | undefined
}

/** Why a return is none: the provider says no, or what it says cannot be believed. */
export interface Disbelief {
  readonly why: 'refused' | 'bad_answer'
  /** For logs: nothing in it is a secret, or says who came. */
  readonly said: string
}

const REQUEST_MS = 5_000
/** Longer than anything a provider says: keys of all its kinds are some thousand characters. */
const ANSWER_CHARS_MAX = 256 * 1024
/** What the provider says of itself is read again after this time. */
const FRESH_MS = 3_600_000
const SAID_CHARS_MAX = 200
const SCOPE = 'openid email profile'

/** A provider. */
export class OidcProvider {
  readonly #settings: ProviderSettings
  readonly #redirectUri: string
  readonly #send: CustomFetch
  readonly #clock: Clock
  #known: { readonly configuration: Promise<Configuration>; readonly untilMs: number } | undefined

  /** @param publicUrl of this site, as browsers know it */
  constructor(settings: ProviderSettings, publicUrl: string, http: HttpClient, clock: Clock) {
    this.#settings = settings
    this.#redirectUri = `${publicUrl}/api/v1/auth/oidc/${settings.name}/callback`
    this.#send = sendBy(http)
    this.#clock = clock
  }

  /**
   * Where the browser goes.
   *
   * @throws FlotillaError `unavailable` when the provider cannot be reached, or is not the one that was meant.
   */
  async authorizationUrl(flow: Flow): Promise<string> {
    const [{ buildAuthorizationUrl }, configuration] = await Promise.all([load(), this.#configuration()])
    const { state, nonce } = flow
    return buildAuthorizationUrl(configuration, {
      redirect_uri: this.#redirectUri,
      scope: SCOPE,
      response_type: 'code',
      state,
      nonce,
      code_challenge: challengeOf(flow),
      code_challenge_method: 'S256',
    }).href
  }

  /**
   * Who came back, by what the provider put into the query string.
   *
   * @throws FlotillaError `unavailable` when the provider cannot be reached
   */
  async personOf(flow: Flow, response: Readonly<Record<string, string>>): Promise<Person | Disbelief> {
    const [{ authorizationCodeGrant, AuthorizationResponseError }, configuration] = await Promise.all([
      load(),
      this.#configuration(),
    ])
    try {
      const tokens = await authorizationCodeGrant(
        configuration,
        new URL(`${this.#redirectUri}?${new URLSearchParams(response)}`),
        {
          expectedState: flow.state,
          expectedNonce: flow.nonce,
          pkceCodeVerifier: flow.verifier,
          idTokenExpected: true,
        },
      )
      const { iss, sub, email, email_verified, name } = tokens.claims() as IDToken
      return {
        issuer: iss,
        subject: sub,
        email: typeof email === 'string' ? email : undefined,
        isEmailVerified: email_verified === true,
        name: typeof name === 'string' ? name : undefined,
      }
    } catch (error) {
      throwUnavailable(error)
      // Not its cause: that has codes and tokens in it.
      const { code = '', message = '' } = error as { readonly code?: string; readonly message?: string }
      const why = error instanceof AuthorizationResponseError ? 'refused' : 'bad_answer'
      return { why, said: `${code}: ${message}`.slice(0, SAID_CHARS_MAX) }
    }
  }

  #configuration(): Promise<Configuration> {
    const nowMs = this.#clock.monotonicMs()
    if (this.#known === undefined || this.#known.untilMs <= nowMs) {
      const configuration = this.#discover()
      this.#known = { configuration, untilMs: nowMs + FRESH_MS }
      // Asked again by the next who comes.
      configuration.catch(() => {
        if (this.#known?.configuration === configuration) this.#known = undefined
      })
    }
    return this.#known.configuration
  }

  async #discover(): Promise<Configuration> {
    const { allowInsecureRequests, ClientSecretBasic, customFetch, discovery, enableNonRepudiationChecks } =
      await load()
    const { issuer, clientId, clientSecret, algorithm } = this.#settings
    const isPlain = issuer.startsWith('http:')
    try {
      return await discovery(
        new URL(issuer),
        clientId,
        { redirect_uris: [this.#redirectUri], id_token_signed_response_alg: algorithm },
        ClientSecretBasic(clientSecret),
        {
          [customFetch]: this.#send,
          timeout: REQUEST_MS / 1_000,
          // In plain text only on this machine: the settings see to that.
          execute: isPlain
            ? [allowInsecureRequests, enableNonRepudiationChecks]
            : [enableNonRepudiationChecks],
        },
      )
    } catch (cause) {
      throw unavailable(cause)
    }
  }
}

const load = (): Promise<typeof import('openid-client')> => import('openid-client')

/** Requests of the library, sent by the port. */
function sendBy(http: HttpClient): CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    const {
      status,
      headers: received,
      body: text,
    } = await http.send({
      method: method as HttpRequest['method'],
      url,
      headers,
      ...(body === undefined || body === null ? {} : { body: String(body) }),
      timeoutMs: REQUEST_MS,
      ...(signal === undefined ? {} : { signal }),
    })
    if (status >= 500) throw unavailable(new Error(`status ${status}`))
    if (text.length > ANSWER_CHARS_MAX) throw unavailable(new Error('too long'))
    const fields = Object.entries(received).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    )
    return new Response(text === '' ? null : text, { status, headers: fields })
  }
}

/** The library wraps what the port throws. */
function throwUnavailable(error: unknown): void {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (isFlotillaError(at)) throw at
  }
}

function unavailable(cause: unknown): FlotillaError {
  return new FlotillaError('unavailable', 'The identity provider does not answer as it should.', { cause })
}
