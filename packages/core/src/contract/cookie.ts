/**
 * Cookies in which browsers keep a field of an operation: see `Browsing` in `route.ts`.
 *
 * No script can read them, no page of another site can send them but by a link, and over TLS no neighbouring host can set them
 * (`__Host-`). Where a cookie is expected by TLS, one of the plain name is none.
 *
 * @source RFC 6265bis, sections 4.1.3.2 (`__Host-`) and 5.6 (what a value may be)
 * @module
 */

/** The name of the cookie that keeps a field, in plain text. */
export function cookieName(service: string, field: string): string {
  return `${service}-${field}`
}

/** What a browser may keep without quoting; more of a value than this is none of ours. */
const VALUE = /^[\w.~-]{0,4000}$/

const nameOver = (isSecure: boolean, name: string): string => (isSecure ? `__Host-${name}` : name)

/**
 * The value of a cookie; undefined when it is not there, is there twice, or is no text that `setCookie` would have kept.
 *
 * @param header the field `Cookie`
 *
 * @example
 * ```ts
 * import { cookieOf } from '@flotilla/core/cookie'
 * assert.equal(cookieOf('a=1; __Host-auth-login=xyz', 'auth-login', true), 'xyz')
 * assert.equal(cookieOf('auth-login=xyz', 'auth-login', true), undefined)
 * ```
 */
export function cookieOf(header: string | undefined, name: string, isSecure: boolean): string | undefined {
  const prefix = `${nameOver(isSecure, name)}=`
  const found = (header ?? '').split(';').flatMap((pair) => {
    const text = pair.trim()
    return text.startsWith(prefix) ? [text.slice(prefix.length)] : []
  })
  const [value = ''] = found
  return found.length === 1 && value !== '' && VALUE.test(value) ? value : undefined
}

/**
 * The field `Set-Cookie` that has a browser keep a value, or forget an empty one.
 *
 * @param value letters, digits and `-._~`, 4,000 at most
 */
export function setCookie(name: string, value: string, maxAgeS: number, isSecure: boolean): string {
  const age = value === '' ? 0 : maxAgeS
  const secure = isSecure ? '; Secure' : ''
  return `${nameOver(isSecure, name)}=${value}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Lax${secure}`
}
