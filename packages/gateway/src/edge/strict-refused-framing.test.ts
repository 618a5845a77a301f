/**
 * Bodies that must be refused, and the rule that each breaks. Written from the RFCs; `G…` are our own rules, which are stricter.
 *
 * @source RFC 9110, RFC 9112, RFC 3986; `docs/security.md`
 * @module
 */
import { BODY, chunk, chunked, each, get, LENGTH, post } from './strict-requests.test.ts'

/** Cases that break one rule. Each gets one answer, the connection closes, and no service hears of it. */
export interface Refused {
  readonly rule: string
  /** Any of these. */
  readonly statuses: readonly number[]
  /** Bytes, by what they are. */
  readonly cases: Readonly<Record<string, string>>
  /** What would follow would belong to it. */
  readonly isOpenEnded?: boolean
}

const length = (value: string): string => post(`Content-Length:${value}\r\n`, BODY)
const encoding = (value: string): string =>
  post(`Transfer-Encoding:${value}\r\n`, `c\r\n${BODY}\r\n0\r\n\r\n`)
const trailer = (line: string): string => chunk('c', `0\r\n${line}\r\n\r\n`)
const HTTP10 = [/HTTP\/1\.1/, 'HTTP/1.0'] as const

/** Cases of bodies. */
export const refusedFramings: readonly Refused[] = [
  {
    rule: 'RFC 9112 6.3: one length, in digits',
    statuses: [400],
    cases: {
      ...each(
        'Content-Length',
        [
          ' +12',
          ' -12',
          ' 0xc',
          ' ',
          '',
          ' 12.0',
          ' 1 2',
          ' 12,',
          ' ,12',
          ' 12, 12',
          ' 12;a',
          ' "12"',
          ' 12e0',
        ],
        length,
      ),
      ...each(
        'Content-Length',
        [' \x0b12', ' 12\x00', ' \xb2', ' c', ' 1_2', ' 12 12', ' 9999999999999999', ' 18446744073709551628'],
        length,
      ),
      'two Content-Length': post(LENGTH + LENGTH, BODY),
      'two different Content-Length': post(`${LENGTH}Content-Length: 5\r\n`, BODY),
      'two Content-Length, one of them empty': post(`${LENGTH}Content-Length:\r\n`, BODY),
      'Content-Length twice, written differently': post(`${LENGTH}CONTENT-LENGTH: 12\r\n`, BODY),
    },
  },
  {
    rule: 'RFC 9112 6.1: a length or chunks, never both',
    statuses: [400],
    cases: {
      'length, then chunks': post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${get()}`),
      'chunks, then length': post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', `0\r\n\r\n${get()}`),
      'chunks and the length 0': post('Transfer-Encoding: chunked\r\nContent-Length: 0\r\n', '0\r\n\r\n'),
      'chunks and an empty length': post('Transfer-Encoding: chunked\r\nContent-Length:\r\n', '0\r\n\r\n'),
      'length and an unknown coding': post(`${LENGTH}Transfer-Encoding: gzip\r\n`, BODY),
      'length and an empty coding': post(`${LENGTH}Transfer-Encoding:\r\n`, BODY),
      'a length within the trailers': trailer('Content-Length: 5'),
      'a coding within the trailers': trailer('Transfer-Encoding: identity'),
    },
  },
  {
    rule: 'G2, RFC 9112 6.1: no coding but chunked, once',
    statuses: [400],
    cases: {
      ...each(
        'Transfer-Encoding',
        [
          ' identity',
          ' gzip',
          ' gzip, chunked',
          ' chunked, gzip',
          ' chunked, chunked',
          ' chunked,',
          ' ,chunked',
          '',
          ' ',
        ],
        encoding,
      ),
      ...each(
        'Transfer-Encoding',
        [
          ' xchunked',
          ' chunkedx',
          ' "chunked"',
          " 'chunked'",
          ' chunked;q=1',
          ' chunk',
          ' chunked chunked',
          ' chunked\x00',
        ],
        encoding,
      ),
      ...each(
        'Transfer-Encoding',
        [' \x0bchunked', ' \x0cchunked', ' \xa0chunked', ' c\xa0hunked'],
        encoding,
      ),
      'two Transfer-Encoding': post(
        'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n',
        '0\r\n\r\n',
      ),
      'two Transfer-Encoding, the second unknown': post(
        'Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n',
        '0\r\n\r\n',
      ),
      'two Transfer-Encoding, the first unknown': post(
        'Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n',
        '0\r\n\r\n',
      ),
      'chunks in HTTP/1.0': chunked('0\r\n\r\n').replace(...HTTP10),
      'chunks in HTTP/1.0 that would stay': post(
        'Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n',
        '0\r\n\r\n',
      ).replace(...HTTP10),
    },
  },
  {
    rule: 'RFC 9112 7.1: chunk sizes are hexadecimal digits and nothing else',
    statuses: [400],
    cases: {
      ...each(
        'the chunk size',
        ['xyz', '+c', '-c', '0xc', '', ' c', 'c ', '\tc', 'c\t', 'c,', 'c.0', 'c\x00', '\xb2'],
        chunk,
      ),
      ...each(
        'the chunk size',
        ['fffffffffffffffff', '1000000000000000c', 'c c', '"c"', 'c\r', '\\c'],
        chunk,
      ),
      'a chunk size of nine digits': chunk('00000000c'),
      'a chunk size of two hundred digits': chunk(`${'0'.repeat(200)}c`),
      'a chunk longer than its size': chunk('b'),
      'a chunk shorter than its size': chunk('d'),
      'a last chunk with a sign': chunk('c', '-0\r\n\r\n'),
      'a last chunk that is no number': chunk('c', 'z\r\n\r\n'),
      'a chunk without its line end': chunked(`c\r\n${BODY}0\r\n\r\n`),
    },
  },
  {
    rule: 'RFC 9112 7.1.1: chunk extensions',
    statuses: [400],
    cases: {
      ...each(
        'the extension',
        [';', '; a=b', ';a =b', ';a=\x01b', ';a=b\x7f', ';a\x00=b', ';a="b', ';a=b c', ';\xe4'],
        (text) => chunk(`c${text}`),
      ),
      ...each('the extension', [';=b', ';a=', `;a=${'b'.repeat(2_000)}`], (text) => chunk(`c${text}`)),
      'an extension of 20,000 characters': chunk(`c;${'a'.repeat(20_000)}`),
      'an extension in quotes with a line end': chunk('c;a="\r\nb"'),
    },
  },
  {
    rule: 'RFC 9112 2.2: lines end in CRLF',
    statuses: [400],
    cases: {
      'a chunk that ends in LF': chunked(`c\r\n${BODY}\n0\r\n\r\n`),
      'a chunk size that ends in LF': chunked(`c\n${BODY}\r\n0\r\n\r\n`),
      'a chunk size that ends in CR': chunked(`c\r${BODY}\r\n0\r\n\r\n`),
      'a chunk extension with LF': chunk('c;a\nb'),
      'a last chunk that ends in LF': chunk('c', '0\n\r\n'),
      'a trailer that ends in LF': trailer('X-A: b\nX-B: c'),
      'a trailer that ends in CR CR LF': trailer('X-A: b\r'),
      'chunks that end in LF': chunk('c', '0\r\n\n'),
      'chunks that end in CR': chunk('c', '0\r\n\rX'),
      ...each('before a request', ['\n', '\n\n', '\r', '\r\r\n', '\r\n\n'], (before) => before + get()),
      'a field that ends in LF': get('X-A: b\nX-B: c\r\n'),
      'a field that ends in CR': get('X-A: b\rX-B: c\r\n'),
      'a request line that ends in LF': get().replace('HTTP/1.1\r\n', 'HTTP/1.1\n'),
      'a request line that ends in CR': get().replace('HTTP/1.1\r\n', 'HTTP/1.1\r'),
      'a head whose lines end in LF': get().replaceAll('\r\n', '\n'),
      'a head that ends in LF': get().replace(/\r\n$/, '\n'),
      'a head that ends in CR': get().replace(/\n$/, 'X'),
      'a line end doubled': get('X-A: b\r\r\n'),
      'fields that start with an empty line of LF': get().replace('HTTP/1.1\r\n', 'HTTP/1.1\r\n\n'),
    },
  },
]
