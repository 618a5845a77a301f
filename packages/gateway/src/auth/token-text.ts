/**
 * Reading the text of a token, before anything in it is believed: three parts of canonical base64url, two of which are JSON
 * that no two parsers read differently, and a header that names a key and does not say how to go about the check.
 *
 * @source RFC 7515 (JWS), RFC 8725 (best current practice), RFC 9068, section 2.1 (type)
 * @module
 */
import { parseUntrustedJson } from '@flotilla/core/json'
import { refused } from './token-refusal.ts'

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
  if (token.length > TOKEN_CHARS_MAX) throw refused('size')
  if (!FORM.test(token)) throw refused('form')
  const [header, claims] = token.split('.').map(bytesOf) as [Buffer, Buffer, Buffer]
  const { alg, kid, typ, ...others } = objectOf(header)
  if (STEERING.some((name) => Object.hasOwn(others, name))) throw refused('steering header')
  if (!TYPES.includes(typ)) throw refused('type')
  if (typeof kid !== 'string' || !KEY_NAME.test(kid)) throw refused('key name')
  return { algorithm: alg, kid, claims: objectOf(claims) }
}

/** One text for the same bytes: base64url has bits to spare at the end, which would make many tokens of one. */
function bytesOf(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url')
  if (bytes.toString('base64url') !== part) throw refused('form')
  return bytes
}

function objectOf(bytes: Buffer): Record<string, unknown> {
  let text: string
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = parseUntrustedJson(text)
  } catch {
    // Not UTF-8, not JSON, too deep, a dangerous key: it is all the same to us.
    throw refused('json')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused('json')
  if (repeatsKey(text)) throw refused('repeated key')
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
