/**
 * Requests that are taken, and what chance makes of them. All of it follows from a seed.
 *
 * @module
 */
import { type Random, randomInteger } from '@flotilla/core/random'

/** Bytes for one connection. */
export interface Mutated {
  /** In the pieces in which they are to be written; none is empty. */
  readonly pieces: readonly string[]
}

const MUTATIONS_MAX = 4
const PIECES_MAX = 4

/** Bytes that parsers of HTTP treat in a way of their own. */
const BYTES = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '\0',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
  ':',
  ';',
  ',',
  '_',
  '-',
  '+',
  '0',
  '1',
  'a',
  '/',
  '%',
  '.',
  '?',
  '#',
  '*',
  '"',
  '\\',
  '\r\n\r\n',
  '\n\n',
]

/** Lines that may disagree with the others. */
const LINES = [
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: 12',
  'Content-Length : 12',
  'Content_Length: 12',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding : chunked',
  'transfer-encoding: Chunked',
  'Host: gateway.test',
  'Host: evil.test',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: close, te',
  'Connection: Upgrade',
  'Upgrade: h2c',
  'Expect: 100-continue',
  'Expect: maybe',
  'X-A: b',
  'TE: trailers',
  'Trailer: X-B',
  'Keep-Alive: timeout=5',
  'Proxy-Connection: keep-alive',
  'X-Forwarded-For: 6.6.6.6',
  'X-Forwarded-Host: evil.test',
  'X-User-Id: root',
  'X-Request-Id: mine',
  'Forwarded: for=6.6.6.6',
  'Cookie: a=b',
  ' folded',
  'GET /api/v1/seen/inner HTTP/1.1',
  '0',
  '5',
  'c;a=b',
  '',
]

const PATHS = [
  'seen',
  'seen/{id}',
  'seen/{id}%20b',
  'seen/{id}?a=b',
  'seen?tag={id}',
  'seen/%7b{id}',
  '../seen/{id}',
  'seen//{id}',
]

/** One to three requests, mostly taken as they are; then one to four mutations, or none in one of twenty. */
export function mutated(random: Random, id: string): Mutated {
  const count = 1 + randomInteger(random, 3)
  let bytes = ''
  for (let index = 0; index < count; index++) bytes += request(random, `${id}-${index}`)
  if (randomInteger(random, 20) > 0) {
    const mutations = 1 + randomInteger(random, MUTATIONS_MAX)
    for (let index = 0; index < mutations; index++) bytes = mutation(random, bytes)
  }
  return { pieces: inPieces(random, bytes) }
}

function request(random: Random, id: string): string {
  const kind = randomInteger(random, 6)
  if (kind < 2)
    return head(random, pick(random, ['GET', 'GET', 'HEAD', 'DELETE', 'OPTIONS']), path(random, id))
  const body = JSON.stringify({ text: `${id}${'é'.repeat(randomInteger(random, 3))}` })
  const its = Buffer.from(body).toString('latin1')
  const [method, target] = kind < 4 ? ['POST', 'echo'] : ['PUT', `seen/${id}`]
  const type = 'Content-Type: application/json\r\n'
  const isChunked = randomInteger(random, 2) === 0
  if (!isChunked) return head(random, method, target, `${type}Content-Length: ${its.length}\r\n`) + its
  return head(random, method, target, `${type}Transfer-Encoding: chunked\r\n`) + chunks(random, its)
}

function path(random: Random, id: string): string {
  // Most of them the two that are always taken.
  const index = randomInteger(random, 2) === 0 ? 1 : randomInteger(random, PATHS.length)
  return (PATHS[index] as string).replace('{id}', id)
}

function head(random: Random, method: string, target: string, lines = ''): string {
  const more = randomInteger(random, 4) === 0 ? 'X-A: b\r\n' : ''
  const expects = lines !== '' && randomInteger(random, 8) === 0 ? 'Expect: 100-continue\r\n' : ''
  const origin = randomInteger(random, 8) === 0 ? 'http://gateway.test' : ''
  return `${method} ${origin}/api/v1/${target} HTTP/1.1\r\nHost: gateway.test\r\n${more}${expects}${lines}\r\n`
}

function chunks(random: Random, body: string): string {
  const cut = randomInteger(random, body.length)
  const parts = [body.slice(0, cut), body.slice(cut)].filter((part) => part !== '')
  const extension = (): string => (randomInteger(random, 6) === 0 ? ';a=b' : '')
  const trailers = randomInteger(random, 6) === 0 ? 'X-B: c\r\n' : ''
  const all = parts.map((part) => `${part.length.toString(16)}${extension()}\r\n${part}\r\n`)
  return `${all.join('')}0${extension()}\r\n${trailers}\r\n`
}

function mutation(random: Random, bytes: string): string {
  const at = randomInteger(random, bytes.length + 1)
  const length = 1 + randomInteger(random, 4)
  switch (randomInteger(random, 9)) {
    case 0:
      return bytes.slice(0, at) + bytes.slice(at + length)
    case 1:
      return bytes.slice(0, at) + pick(random, BYTES) + bytes.slice(at)
    case 2:
      return bytes.slice(0, at) + pick(random, BYTES) + bytes.slice(at + 1)
    case 3:
      return bytes.slice(0, at) + bytes.slice(at, at + length) + bytes.slice(at)
    case 4:
      return bytes.slice(0, at) + bytes.slice(at + 1, at + 2) + bytes.slice(at, at + 1) + bytes.slice(at + 2)
    case 5:
      return bytes.slice(0, at) + String.fromCharCode(randomInteger(random, 256)) + bytes.slice(at + 1)
    default:
      return lineMutation(random, bytes)
  }
}

function lineMutation(random: Random, bytes: string): string {
  const lines = bytes.split('\r\n')
  const at = randomInteger(random, lines.length)
  const other = randomInteger(random, lines.length)
  const [its = '', others = ''] = [lines[at], lines[other]]
  switch (randomInteger(random, 6)) {
    case 0:
      return lines.toSpliced(at, 1).join('\r\n')
    case 1:
      return lines.toSpliced(at, 0, its).join('\r\n')
    case 2:
      return lines.with(at, others).with(other, its).join('\r\n')
    case 3:
      return lines.with(at, pick(random, LINES)).join('\r\n')
    default:
      return lines.toSpliced(at, 0, pick(random, LINES)).join('\r\n')
  }
}

function inPieces(random: Random, bytes: string): readonly string[] {
  const count = randomInteger(random, 3) > 0 ? 1 : 1 + randomInteger(random, PIECES_MAX)
  const cuts = Array.from({ length: count - 1 }, () => randomInteger(random, bytes.length + 1)).sort(
    (a, b) => a - b,
  )
  const all = [0, ...cuts].map((from, index) => bytes.slice(from, cuts[index] ?? bytes.length))
  return all.filter((piece) => piece !== '')
}

function pick<T>(random: Random, all: readonly T[]): T {
  return all[randomInteger(random, all.length)] as T
}
