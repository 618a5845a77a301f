/**
 * Reading the text of a token, before anything in it is believed: three parts of canonical base64url, two of which are JSON
 * that no two parsers read differently, and a header that names a key and does not say how to go about the check.
 *
 * @source RFC 7515 (JWS), RFC 8725 (best current practice), RFC 9068, section 2.1 (type)
 * @module
 */
import { parseUntrustedJson } from '@flotilla/core/json'
import { refused, type TextRule } from './token-refusal.ts'

/** What a token says, not checked yet. */
export interface ReadToken {
  readonly algorithm: unknown
  readonly kid: string
  readonly claims: Readonly<Record<string, unknown>>
}

const TOKEN_CHARS_MAX = 8_192
const FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
/** Ours to look keys up by; nobody's path, query or address. */
export const KEY_NAME = /^[\w-]{1,64}$/
const TYPES: readonly unknown[] = ['at+jwt', 'application/at+jwt']
/** Header fields that change how the token is read, decrypted or checked, or bring a key along. None is for the sender to say. */
const STEERING = [
  ...['crit', 'b64', 'zip', 'cty', 'jwk', 'jku', 'x5u', 'x5c'],
  ...['enc', 'epk', 'apu', 'apv', 'iv', 'tag', 'p2s', 'p2c'],
]
const JSON_PIECES = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g

/** @throws FlotillaError `unauthenticated`. */
export function readToken(token: string): ReadToken {
  const { header, claims } = readJws(token, TOKEN_CHARS_MAX, refused)
  const { alg, kid, typ, ...others } = header
  if (isSteered(others)) throw refused('steering header')
  if (!TYPES.includes(typ)) throw refused('type')
  if (typeof kid !== 'string' || !KEY_NAME.test(kid)) throw refused('key name')
  return { algorithm: alg, kid, claims }
}

/** A signed text taken apart; nothing in it is believed. */
export interface ReadJws {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/**
 * Takes a signed text apart.
 *
 * @throws what `refuse` makes of the rule that it breaks.
 */
export function readJws(text: string, charsMax: number, refuse: (rule: TextRule) => Error): ReadJws {
  if (text.length > charsMax) throw refuse('size')
  if (!FORM.test(text)) throw refuse('form')
  const parts = text.split('.').map(bytesOf)
  const [header, claims] = parts
  if (header === undefined || claims === undefined || parts.includes(undefined)) throw refuse('form')
  return { header: objectOf(header, refuse), claims: objectOf(claims, refuse) }
}

/** True for a header that says how the text is to be read or checked; `except`: what may be there. */
export function isSteered(header: Readonly<Record<string, unknown>>, except?: string): boolean {
  return STEERING.some((name) => name !== except && Object.hasOwn(header, name))
}

/** One text for the same bytes: base64url has bits to spare at the end, which would make many tokens of one. */
function bytesOf(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

function objectOf(bytes: Buffer, refuse: (rule: TextRule) => Error): Record<string, unknown> {
  let text: string
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = parseUntrustedJson(text)
  } catch {
    // Not UTF-8, not JSON, too deep, a dangerous key: it is all the same to us.
    throw refuse('json')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse('json')
  if (repeatsKey(text)) throw refuse('repeated key')
  return value as Record<string, unknown>
}

/** Whether an object of `json`, which is valid, has two fields of the same name, however it is written: parsers differ on which counts. */
function repeatsKey(json: string): boolean {
  const open: (Set<string> | undefined)[] = []
  let last = ''
  for (const [piece] of json.matchAll(JSON_PIECES)) {
    if (piece === '{') open.push(new Set())
    else if (piece === '[') open.push(undefined)
    else if (piece === '}' || piece === ']') open.pop()
    else if (piece === ':') {
      const keys = open.at(-1)
      const key = JSON.parse(last) as string
      if (keys?.has(key)) return true
      keys?.add(key)
    }
    last = piece
  }
  return false
}
