/**
 * The preference `wait` of the header `Prefer`: how many seconds a client will wait for an answer that says more.
 *
 * A preference is a wish and never an error: what is malformed or not known is passed over.
 *
 * @source RFC 7240, 2 (syntax; of a preference named twice the first counts) and 4.3 (`wait`)
 * @module
 */

/** One that is never closed goes to the end. */
const QUOTED = /"(?:[^"\\]|\\.)*"?/g
const PREFERENCE = /^([\w!#$%&'*+.^`|~-]+)[ \t]*(?:=[ \t]*(.*))?$/
const SECONDS = /^\d{1,15}$/

/**
 * The seconds that `header` is willing to wait, without any limit; undefined when it does not say. Several header
 * fields are joined with commas first.
 *
 * @example
 * ```ts
 * import { waitOf } from '@flotilla/core/prefer'
 * assert.equal(waitOf('respond-async, wait=10'), 10)
 * assert.equal(waitOf('wait=soon'), undefined)
 * ```
 */
export function waitOf(header: string): number | undefined {
  // Commas and semicolons within quotes separate nothing, and no quoted text is a number of seconds.
  for (const preference of header.replace(QUOTED, '""').split(',')) {
    const [withoutParameters = ''] = preference.split(';', 1)
    const [, name, value = ''] = PREFERENCE.exec(withoutParameters.trim()) ?? []
    if (name?.toLowerCase() === 'wait') return SECONDS.test(value) ? Number(value) : undefined
  }
  return undefined
}
