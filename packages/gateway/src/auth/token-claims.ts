/**
 * The claims of a token whose signature is good: whether it is an access token for us, and now.
 *
 * @source RFC 9068, sections 2.2 and 4; RFC 7519, section 4.1; RFC 8725, sections 3.8 to 3.12; RFC 8705, section 3.1 (`x5t#S256`);
 * RFC 9449, section 6.1 (`jkt`)
 * @module
 */
import { refused } from './token-refusal.ts'

/** What somebody has to have who shows a token. */
export interface Binding {
  /** `x5t#S256`: the certificate of the connection; `jkt`: the key of a proof of possession. */
  readonly to: 'x5t#S256' | 'jkt'
  /** SHA-256 of the certificate, or of the public key (RFC 7638), in base64url. */
  readonly thumbprint: string
}

/** Claims that were checked. */
export interface Claims {
  readonly subject: string
  /** What the token is limited to; empty: not limited. */
  readonly scopes: readonly string[]
  /** With what it may be shown; undefined: whoever has it may. */
  readonly binding: Binding | undefined
  /** Seconds since 1970. */
  readonly expiresAtS: number
  /** Everything the token says, for what only its issuer knows how to read. */
  readonly all: Readonly<Record<string, unknown>>
}

const LEEWAY_S = 30
const LIFETIME_S_MAX = 15 * 60
/** The end of the year 9999. */
const TIME_S_MAX = 253_402_300_799
const AUDIENCES_MAX = 16
/** OpenID Connect allows 255 characters of ASCII; what is not printable names nobody. */
const SUBJECT = /^[\x21-\x7e]{1,255}$/
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/
/** A SHA-256 in base64url, which has two bits to spare. */
const THUMBPRINT = /^[\w-]{42}[AEIMQUYcgkosw048]$/
/** Claims by which ID tokens and logout tokens are known, in case one has the wrong type. */
const OF_OTHER_KINDS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events']

/** @throws FlotillaError `unauthenticated`. */
export function checkClaims(all: Readonly<Record<string, unknown>>, audience: string, nowS: number): Claims {
  const expiresAtS = checkTimes(all, nowS)
  if (!isFor(audience, all['aud'])) throw refused('audience')
  const { sub: subject } = all
  if (typeof subject !== 'string' || !SUBJECT.test(subject)) throw refused('subject')
  if (OF_OTHER_KINDS.some((name) => Object.hasOwn(all, name))) throw refused('other kind')
  return { subject, scopes: scopesOf(all), binding: bindingOf(all), expiresAtS, all }
}

/** Returns when it runs out, in seconds since 1970. */
function checkTimes({ exp, iat, nbf = 0 }: Readonly<Record<string, unknown>>, nowS: number): number {
  if (!isTime(exp) || !isTime(iat) || !isTime(nbf) || iat >= exp) throw refused('times')
  if (exp <= nowS - LEEWAY_S) throw refused('expired')
  // One that was issued in the future would live longer than its lifetime says.
  if (nbf > nowS + LEEWAY_S || iat > nowS + LEEWAY_S) throw refused('not valid yet')
  if (exp - iat > LIFETIME_S_MAX) throw refused('lifetime')
  return exp
}

function isTime(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= TIME_S_MAX
}

/** One text, or a list of texts: whoever puts anything else there is not to be guessed at. */
function isFor(audience: string, aud: unknown): boolean {
  if (!Array.isArray(aud)) return aud === audience
  return aud.length <= AUDIENCES_MAX && aud.every((one) => typeof one === 'string') && aud.includes(audience)
}

function scopesOf(all: Readonly<Record<string, unknown>>): readonly string[] {
  if (!Object.hasOwn(all, 'scope')) return []
  const { scope } = all
  // An empty list would mean: not limited.
  if (typeof scope !== 'string' || !SCOPE.test(scope)) throw refused('scope')
  return scope.split(' ')
}

function bindingOf(all: Readonly<Record<string, unknown>>): Binding | undefined {
  if (!Object.hasOwn(all, 'cnf')) return undefined
  const { cnf } = all
  if (typeof cnf !== 'object' || cnf === null) throw refused('bound to a key')
  const [[to, thumbprint] = [], ...others] = Object.entries(cnf)
  // Only who holds that key may show it, and of any other kind of key nothing here could tell.
  if ((to !== 'x5t#S256' && to !== 'jkt') || others.length > 0) throw refused('bound to a key')
  if (typeof thumbprint !== 'string' || !THUMBPRINT.test(thumbprint)) throw refused('bound to a key')
  return { to, thumbprint }
}
