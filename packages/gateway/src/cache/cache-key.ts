/**
 * Under which name an answer is kept: equal for requests that ask the same, different for all others. Who asks is no part of it:
 * what is kept is made as for nobody in particular. Pure.
 *
 * @module
 */
import type { Operation } from '@flotilla/core/operation'

/** Neither paths nor queries can have it: the head of a request is refused with it, escaped or not. */
const SEPARATOR = '\u0000'
/** What means something else than itself in a query. */
const NEEDS_PARSING = /[&%+?]/

/** Path parameters decoded, as the router gives them; `search` without its question mark. */
export function cacheKey(
  operation: Pick<Operation, 'id' | 'rest'>,
  parameters: Readonly<Record<string, string | undefined>>,
  search: string,
): string {
  let key = operation.id
  for (const name of operation.rest?.parameters ?? []) key += SEPARATOR + (parameters[name] ?? '')
  return search === '' ? key : key + searchKey(search)
}

/** In the order of their names: `?a=1&b=2` asks what `?b=2&a=1` does. Values of one name keep their order, which may mean something. */
function searchKey(search: string): string {
  if (!NEEDS_PARSING.test(search)) {
    const at = search.indexOf('=')
    const [name, value] = at < 0 ? [search, ''] : [search.slice(0, at), search.slice(at + 1)]
    return SEPARATOR + name + SEPARATOR + value
  }
  const fields = [...new URLSearchParams(search)]
  fields.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))
  let key = ''
  for (const [name, value] of fields) key += SEPARATOR + name + SEPARATOR + value
  return key
}
