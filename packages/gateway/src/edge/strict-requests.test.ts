/**
 * Requests as bytes, for the tests of strict HTTP: innocent unless what is put into them is not.
 *
 * @module
 */

/** A body that the service takes. */
export const BODY = '{"text":"a"}'

/** The length of `BODY`, as a field. */
export const LENGTH = 'Content-Length: 12\r\n'

/** `lines` are fields, each with its line end. */
export function get(lines = '', target = '/api/v1/seen'): string {
  return `GET ${target} HTTP/1.1\r\nHost: gateway.test\r\n${lines}\r\n`
}

/** `lines` must say how long `body` is. */
export function post(lines: string, body: string): string {
  return `POST /api/v1/echo HTTP/1.1\r\nHost: gateway.test\r\nContent-Type: application/json\r\n${lines}\r\n${body}`
}

/** A POST whose body is in chunks as `text` says. */
export function chunked(text: string): string {
  return post('Transfer-Encoding: chunked\r\n', text)
}

/** A body of one chunk that `size` tells of; `end` is what follows. */
export function chunk(size: string, end = '0\r\n\r\n'): string {
  return chunked(`${size}\r\n${BODY}\r\n${end}`)
}

/** A GET with this line in place of its Host. */
export function hosted(line: string): string {
  return get().replace('Host: gateway.test\r\n', line)
}

/** A GET with this request line. */
export function starting(line: string): string {
  return get().replace('GET /api/v1/seen HTTP/1.1', line)
}

/** A case for each value, under its name: control characters are told as JSON tells them. */
export function each(
  what: string,
  values: readonly string[],
  bytesOf: (value: string) => string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(values.map((value) => [`${what} ${told(value)}`, bytesOf(value)]))
}

const TOLD_CHARS_MAX = 60

function told(value: string): string {
  return JSON.stringify(value).slice(0, TOLD_CHARS_MAX)
}
