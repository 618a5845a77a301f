/**
 * Requests of HTTP/1.1 that are made to be expensive: each is well-formed, or nearly, and asks for as much work as it can.
 *
 * @source Denial of service by algorithmic complexity and by amplification, as known of other servers; CVE-2023-39326 (tiny chunks)
 * @module
 */
import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { systemClock } from '@flotilla/core/clock'
import { type CostCase, repeated, single } from './strict-cost-case.test.ts'
import { AUDIENCE, ISSUER } from './strict-cost-gateway.test.ts'
import { get, post } from './strict-requests.test.ts'

/** What a body may have. */
export const BODY_BYTES_MAX = 1024 * 1024
const TARGET_CHARS = 8_000
const FIELD_CHARS = 15_000
/** Different requests in the bytes of a connection. */
const DIFFERENT = 100
/** Of a connection. */
const REQUESTS_MAX = 1_000
const BULK_MS = 400
const CLOSE = 'Connection: close\r\n'

const jsonOf = (body: string, lines = ''): string =>
  post(`${lines}${CLOSE}Content-Length: ${Buffer.byteLength(body)}\r\n`, body)
const chunksOf = (chunk: string, bytesOfEach: number): string =>
  post(
    `${CLOSE}Transfer-Encoding: chunked\r\n`,
    `${chunk.repeat(Math.floor((BODY_BYTES_MAX - 100) / bytesOfEach))}0\r\n\r\n`,
  )
const filled = (text: string, chars: number): string => text.repeat(Math.floor(chars / text.length))
const many = (name: string, request: (index: number) => string): CostCase => ({
  ...repeated(name, Array.from({ length: DIFFERENT }, (_, index) => request(index)).join(''), 1),
  requests: DIFFERENT,
})

/** Well-formed to the last, and known by its key: nothing but the signature is wrong. */
function forged(kid: string, algorithm: string, bytes: number, padding = 0): string {
  const nowS = Math.floor(systemClock.now() / 1_000)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'mallory', iat: nowS, exp: nowS + 600, roles: ['admin'] }
  const more = padding > 0 ? { more: randomBytes(padding / 2).toString('hex') } : {}
  const signature = randomBytes(bytes)
  // Below any modulus.
  signature[0] = 1
  const head = { alg: algorithm, kid, typ: 'at+jwt' }
  return `${part(head)}.${part({ ...claims, ...more })}.${signature.toString('base64url')}`
}

const bearer = (token: string): string => get(`Authorization: Bearer ${token}\r\n`, '/api/v1/mine')

function bodies(): CostCase[] {
  const whole = (text: string): string => filled(text, BODY_BYTES_MAX - 100)
  return [
    single('body: a text of a mebibyte', jsonOf(`{"text":"${whole('a')}"}`)),
    single('body: escapes', jsonOf(`{"text":"${whole('\\u0061')}"}`)),
    single('body: brackets, half a million deep', jsonOf(whole('['))),
    single('body: objects in objects', jsonOf(whole('{"a":'))),
    single('body: empty arrays', jsonOf(`[${whole('[],')}[]]`)),
    single('body: a hundred thousand members nobody knows', jsonOf(`{${members(90_000)}}`)),
    single(
      'body: objects of a thousand members nobody knows',
      jsonOf(`{"text":[${Array.from({ length: 100 }, () => `{${members(1_000)}}`).join(',')}]}`),
    ),
    single('body: one member again and again', jsonOf(`{${whole('"text":"a",')}"text":"a"}`)),
    single('body: numbers', jsonOf(`{"text":[${whole('1e9,')}1]}`)),
    single('body: a number of a million digits', jsonOf(`{"text":1${whole('0')}}`)),
    single('body: space', jsonOf(`${whole(' ')}{}`)),
    single('body: wrong UTF-8 at its end', jsonOf(`{"text":"${whole('a')}`).concat('\xff')),
    single('body: a gzip bomb', gzipBomb()),
    single('chunks: of one byte', chunksOf('1\r\n \r\n', 1)),
    single('chunks: of two bytes', chunksOf('2\r\n  \r\n', 2)),
    single('chunks: of one byte, the longest extensions', chunksOf(`1;${'a'.repeat(1_000)}\r\n \r\n`, 80)),
    single('chunks: extensions in quotes', chunksOf(`1;a="${'\\"'.repeat(490)}"\r\n \r\n`, 80)),
    single(
      'chunks: trailers',
      post(`${CLOSE}Transfer-Encoding: chunked\r\n`, `0\r\n${filled('a:b\r\n', FIELD_CHARS)}\r\n`),
    ),
  ]
}

function members(count: number): string {
  return Array.from({ length: count }, (_, index) => `"a${index}":1`).join(',')
}

function gzipBomb(): string {
  const bomb = gzipSync(Buffer.alloc(512 * BODY_BYTES_MAX, 'a'), { level: 9 }).toString('latin1')
  const length = `Content-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n`
  return post(`${CLOSE}${length}`, bomb)
}

function heads(): CostCase[] {
  const field = (name: string, text: string): string => get(`${name}: ${filled(text, FIELD_CHARS)}\r\n`)
  const query = (text: string): string => get('', `/api/v1/seen?${filled(text, TARGET_CHARS)}`)
  const lists = [
    'If-None-Match',
    'Accept-Encoding',
    'Accept',
    'Cookie',
    'Cache-Control',
    'Connection',
    'Forwarded',
  ]
  return [
    repeated('head: a hundred fields', get('X-A: b\r\n'.repeat(98))),
    repeated('head: the longest field', field('X-A', 'a')),
    ...lists.map((name) => repeated(`head: ${name} of a thousand parts`, field(name, '"a";q=0.1,'))),
    repeated('head: X-Forwarded-For of a thousand addresses', field('X-Forwarded-For', '10.0.0.1, ')),
    repeated('head: ranges', get(`Range: bytes=${filled('0-1,', FIELD_CHARS)}0-1\r\n`, '/api/v1/page')),
    repeated(
      'head: tags that do not fit',
      get(`If-None-Match: ${filled('"aaaa",', FIELD_CHARS)}"b"\r\n`, '/api/v1/kept/a'),
    ),
    repeated('query: one name again and again', query('tags=a&')),
    repeated(
      'query: names nobody knows',
      get('', `/api/v1/seen?${Array.from({ length: 1_200 }, (_, index) => `a${index}`).join('&')}`),
    ),
    repeated('query: escapes', query('tag=%41%41&')),
    repeated('query: ampersands', query('&')),
    repeated('path: a thousand segments', get('', filled('/a', TARGET_CHARS))),
    repeated('path: a thousand empty segments', get('', filled('/', TARGET_CHARS))),
    repeated('path: nearly a route, again and again', get('', filled('/api/v1/seen', TARGET_CHARS))),
    repeated('path: escapes', get('', `/api/v1/seen/${filled('%41', TARGET_CHARS)}`)),
    repeated('path: escapes of three bytes', get('', `/api/v1/seen/${filled('%e2%82%ac', TARGET_CHARS)}`)),
  ]
}

function credentials(): CostCase[] {
  return [
    many('token: forged, ES256', () => bearer(forged('es', 'ES256', 64))),
    many('token: forged, RS256', () => bearer(forged('rs', 'RS256', 256))),
    many('token: forged, as long as can be', () => bearer(forged('es', 'ES256', 64, 8_000))),
    many('token: of a key nobody knows', (index) => bearer(forged(`k${index}`, 'ES256', 64))),
    repeated('token: dots', bearer(filled('.', FIELD_CHARS))),
    repeated('token: longer than a head', bearer('a'.repeat(BODY_BYTES_MAX)), 1),
    many('API key: none', (index) => get(`X-Api-Key: key-${index}\r\n`, '/api/v1/mine')),
  ]
}

function answers(): CostCase[] {
  const small = 'Accept-Encoding: br\r\n'
  return [
    repeated('answer: nothing there', get('', '/nothing')),
    repeated('answer: a page', get('', '/api/v1/page')),
    repeated('answer: a page, made smaller', get(small, '/api/v1/page')),
    repeated('answer: a page, made smaller by gzip', get('Accept-Encoding: gzip\r\n', '/api/v1/page')),
    repeated('answer: kept', get('', '/api/v1/kept/a')),
    many('answer: kept under ever new keys', (index) =>
      get('', `/api/v1/kept/a?page=${index}${systemClock.now() % 1e6}`),
    ),
    many('answer: kept under ever new keys, made smaller', (index) =>
      get(small, `/api/v1/kept/b?page=${index}`),
    ),
    repeated('answer: kept, asked for anew', get('Cache-Control: no-cache\r\n', '/api/v1/kept/a')),
    repeated('answer: six calls in one', get('', '/api/v1/home')),
    repeated('answer: the documentation', get('', '/docs')),
    repeated('answer: the description', get('', '/openapi.json')),
  ]
}

/** Written and read in bulk: a request costs who sends it next to nothing, and only limits help. */
function bulk(): CostCase[] {
  const its = (name: string, request: string): CostCase => ({
    ...repeated(name, request, REQUESTS_MAX - 1),
    isLimited: true,
    atOnce: 2,
    readsAfterMs: BULK_MS,
  })
  return [
    its('bulk: requests', get()),
    its('bulk: pages', get('', '/api/v1/page')),
    its('bulk: nothing there', get('', '/nothing')),
    its('bulk: tokens', bearer(forged('es', 'ES256', 64))),
  ]
}

/** The control: no gateway may have such a thing, and the campaign must see it. */
export const control: CostCase = {
  ...repeated('control', get('', '/api/v1/burn'), 10),
  atOnce: 2,
}

/** All of them. */
export function floods(): CostCase[] {
  return [...bodies(), ...heads(), ...credentials(), ...answers(), ...bulk(), control]
}
