/**
 * What a browser keeps for us, as its request says it. Pure.
 *
 * @module
 */

/** All cookies of a request in one text. Over HTTP/2 they may come in pieces. @source RFC 9113, 8.2.3 */
export function cookiesIn(rawHeaders: readonly string[]): string {
  return rawHeaders
    .filter((_, index) => rawHeaders[index - 1]?.toLowerCase() === 'cookie' && index % 2 === 1)
    .join('; ')
}
