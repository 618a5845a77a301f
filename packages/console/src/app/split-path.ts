/**
 * Paths of the console: a page, and perhaps one thing on it.
 *
 * @module
 */

/** `/sagas/a%2Fb` is the page `/sagas` and on it `a/b`. What cannot be decoded stays as it is. */
export function splitPath(path: string): { readonly page: string; readonly rest: string | undefined } {
  const [, page = '', ...rest] = path.split('/')
  return { page: `/${page}`, rest: rest.length === 0 ? undefined : decoded(rest.join('/')) }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
