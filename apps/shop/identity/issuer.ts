/**
 * The demo identity provider's half of OpenID Connect: an authorization code, with a proof key, for one client, and nothing else.
 *
 * A browser comes with a request (`begin`) and sees a page on which it chooses who it is; the choice (`choose`) sends it back
 * with a code. The client exchanges the code for an identity token (`token`), within a minute and once. Everything is in memory: who
 * is on their way when the process ends begins again.
 *
 * @source OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9207 (`iss`); RFC 9700 (exact redirect URIs)
 * @module
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Ports } from '@flotilla/core/context'
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { type DemoPerson, people } from './people.ts'

/** What it is made of. */
export interface IssuerOptions {
  /** Its name: the address at which browsers and clients reach it. */
  readonly issuer: string
  readonly clientSecret: string
  /** All that browsers are sent back to, to the letter. */
  readonly redirectUris: readonly string[]
  readonly ports: Pick<Ports, 'clock' | 'random'>
}

/** The one client. */
export const CLIENT_ID = 'shop'

/** An answer: a page on which somebody chooses, a way back, or text for who came wrong. */
export type Step = { readonly request: string } | { readonly location: string } | { readonly mistake: string }

/** An answer for the client. */
export interface TokenAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

const ALGORITHM = 'ES256'
const CODE_MS = 60_000
const REQUEST_MS = 10 * 60_000
const TOKEN_S = 300
const SECRET_BYTES = 32
/** Of requests, and of codes. Beyond it the oldest are forgotten. */
const KEPT_MAX = 1_000
const CHALLENGE = /^[\w-]{43}$/
const VERIFIER = /^[\w.~-]{43,128}$/
const PARAMETER_CHARS_MAX = 500

interface Request {
  readonly redirectUri: string
  readonly state: string
  readonly nonce: string | undefined
  readonly challenge: string
}

interface Grant extends Request {
  readonly person: DemoPerson
}

/** The provider. */
export class DemoIssuer {
  readonly #options: IssuerOptions
  readonly #key: CryptoKey
  readonly #requests: Kept<Request>
  readonly #codes: Kept<Grant>
  readonly jwks: { readonly keys: readonly JWK[] }

  private constructor(options: IssuerOptions, key: CryptoKey, publicKey: JWK) {
    this.#options = options
    this.#key = key
    this.jwks = { keys: [publicKey] }
    this.#requests = new Kept(options.ports, REQUEST_MS)
    this.#codes = new Kept(options.ports, CODE_MS)
  }

  static async open(options: IssuerOptions): Promise<DemoIssuer> {
    const { privateKey, publicKey } = await generateKeyPair(ALGORITHM)
    const jwk = await exportJWK(publicKey)
    const kid = await calculateJwkThumbprint(jwk)
    return new DemoIssuer(options, privateKey, { ...jwk, kid, alg: ALGORITHM, use: 'sig' })
  }

  /** What it says of itself. */
  get metadata(): Readonly<Record<string, unknown>> {
    const { issuer } = this.#options
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [ALGORITHM],
      token_endpoint_auth_methods_supported: ['client_secret_basic'],
      code_challenge_methods_supported: ['S256'],
      scopes_supported: ['openid', 'email', 'profile'],
      claims_supported: ['sub', 'email', 'email_verified', 'name'],
      authorization_response_iss_parameter_supported: true,
    }
  }

  /** A browser comes with the query string of a request. */
  begin(query: URLSearchParams): Step {
    const parameter = (name: string): string => {
      const values = query.getAll(name)
      return values.length === 1 ? (values[0] as string).slice(0, PARAMETER_CHARS_MAX) : ''
    }
    const redirectUri = parameter('redirect_uri')
    // Nobody is sent to an address that is not known to be the client's.
    if (parameter('client_id') !== CLIENT_ID) return { mistake: 'This application is not known here.' }
    if (!this.#options.redirectUris.includes(redirectUri))
      return { mistake: 'This application is not at the address it says.' }
    const state = parameter('state')
    const back = (error: string): Step => ({ location: this.#wayBack(redirectUri, state, { error }) })
    if (parameter('response_type') !== 'code') return back('unsupported_response_type')
    if (!parameter('scope').split(' ').includes('openid')) return back('invalid_scope')
    const challenge = parameter('code_challenge')
    if (parameter('code_challenge_method') !== 'S256' || !CHALLENGE.test(challenge))
      return back('invalid_request')
    const nonce = query.has('nonce') ? parameter('nonce') : undefined
    return { request: this.#requests.keep({ redirectUri, state, nonce, challenge }) }
  }

  /** Somebody chose who they are on the page of a request; another subject than one of ours: nobody. */
  choose(request: string, subject: string): Step {
    const begun = this.#requests.take(request)
    if (begun === undefined) return { mistake: 'This page is too old; begin again.' }
    const { redirectUri, state } = begun
    const person = people.find((one) => one.subject === subject)
    const said =
      person === undefined ? { error: 'access_denied' } : { code: this.#codes.keep({ ...begun, person }) }
    return { location: this.#wayBack(redirectUri, state, said) }
  }

  /** The client wants to know who came. */
  async token(authorization: string | undefined, form: URLSearchParams): Promise<TokenAnswer> {
    if (!this.#isClient(authorization)) return { status: 401, body: { error: 'invalid_client' } }
    if (form.get('grant_type') !== 'authorization_code')
      return { status: 400, body: { error: 'unsupported_grant_type' } }
    // Whoever shows it, rightly or not: it is spent.
    const grant = this.#codes.take(form.get('code') ?? '')
    const verifier = form.get('code_verifier') ?? ''
    const isProven = VERIFIER.test(verifier) && sha256(verifier).toString('base64url') === grant?.challenge
    if (grant === undefined || !isProven || form.get('redirect_uri') !== grant.redirectUri)
      return { status: 400, body: { error: 'invalid_grant' } }
    return {
      status: 200,
      body: {
        id_token: await this.#idToken(grant),
        // For nothing: there is no more to ask for.
        access_token: this.#secret(),
        token_type: 'Bearer',
        expires_in: TOKEN_S,
      },
    }
  }

  #idToken({ person, nonce }: Grant): Promise<string> {
    const nowS = Math.floor(this.#options.ports.clock.now() / 1000)
    const { subject, name, email, isEmailVerified } = person
    return new SignJWT({
      name,
      email,
      email_verified: isEmailVerified,
      ...(nonce === undefined ? {} : { nonce }),
    })
      .setProtectedHeader({ alg: ALGORITHM, kid: this.jwks.keys[0]?.kid as string })
      .setIssuer(this.#options.issuer)
      .setSubject(subject)
      .setAudience(CLIENT_ID)
      .setIssuedAt(nowS)
      .setExpirationTime(nowS + TOKEN_S)
      .sign(this.#key)
  }

  #wayBack(redirectUri: string, state: string, said: Readonly<Record<string, string>>): string {
    const { issuer } = this.#options
    return `${redirectUri}?${new URLSearchParams({ ...said, ...(state === '' ? {} : { state }), iss: issuer })}`
  }

  /** By its name and secret, each form-encoded, as OAuth 2.0 has it (RFC 6749, 2.3.1). */
  #isClient(authorization = ''): boolean {
    const [, encoded = ''] = /^Basic ([A-Za-z0-9+/]{1,500}={0,2})$/i.exec(authorization) ?? []
    const given = Buffer.from(encoded, 'base64').toString('utf8').split(':').map(formDecoded)
    const expected = [CLIENT_ID, this.#options.clientSecret]
    return timingSafeEqual(sha256(JSON.stringify(given)), sha256(JSON.stringify(expected)))
  }

  #secret(): string {
    return Buffer.from(this.#options.ports.random.bytes(SECRET_BYTES)).toString('base64url')
  }
}

/** Things by secrets of their own: for a while, and to be taken once. */
class Kept<T> {
  readonly #ports: IssuerOptions['ports']
  readonly #forMs: number
  readonly #values = new Map<string, { readonly value: T; readonly untilMs: number }>()

  constructor(ports: IssuerOptions['ports'], forMs: number) {
    this.#ports = ports
    this.#forMs = forMs
  }

  keep(value: T): string {
    const { clock, random } = this.#ports
    const secret = Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url')
    this.#values.set(secret, { value, untilMs: clock.monotonicMs() + this.#forMs })
    if (this.#values.size > KEPT_MAX) this.#values.delete(this.#values.keys().next().value as string)
    return secret
  }

  take(secret: string): T | undefined {
    const kept = this.#values.get(secret)
    this.#values.delete(secret)
    return kept !== undefined && kept.untilMs > this.#ports.clock.monotonicMs() ? kept.value : undefined
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Encoders differ in what they escape. */
const formDecoded = (text: string): string =>
  new URLSearchParams(`x=${text.replaceAll('&', '%26')}`).get('x') ?? ''
