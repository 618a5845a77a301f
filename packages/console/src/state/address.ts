/**
 * The state of a page as an address, so that every state can be sent to somebody: the page is the path, what it shows the query. Two
 * parameters go along from page to page: `range`, the time looked at, and `refresh`, how often it is asked again.
 *
 * @module
 */

/** Where the console is served. */
const ROOT = '/console'

/** What the address line says. */
export interface Place {
  /** Without the console's own root: `/services/orders`. */
  readonly path: string
  readonly params: Readonly<Record<string, string>>
}

/** Parameters to set; undefined and '' take one away. */
export type Changes = Readonly<Record<string, string | undefined>>

const GLOBAL = ['range', 'refresh'] as const

/** Reads an address. Of a parameter given twice the last counts. */
export function parsePlace(pathname: string, search: string): Place {
  const path = pathname.startsWith(ROOT) ? pathname.slice(ROOT.length) : pathname
  return {
    path: path.replace(/(?<=.)\/+$/, '') || '/',
    params: Object.fromEntries([...new URLSearchParams(search)].filter(([, value]) => value !== '')),
  }
}

/** Writes an address; parameters in alphabetical order, so that equal states have equal addresses. */
export function hrefOf({ path, params }: Place): string {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== ''))
  query.sort()
  return `${ROOT}${path}${query.size === 0 ? '' : `?${query}`}`
}

/** The same page in another state. */
export function changed(place: Place, changes: Changes): Place {
  const params = Object.entries({ ...place.params, ...changes }).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, value] as const],
  )
  return { path: place.path, params: Object.fromEntries(params) }
}

/** Another page, of which only time and refreshing stay as they are. */
export function elsewhere(from: Place, path: string, params: Changes = {}): Place {
  const kept = Object.fromEntries(GLOBAL.map((name) => [name, from.params[name]]))
  return changed({ path, params: {} }, { ...kept, ...params })
}

/** The time looked at: the last so many milliseconds, or from one moment to another. */
export type Range = { readonly lastMs: number } | { readonly fromMs: number; readonly toMs: number }

/** The ranges offered, by the name they have in addresses. */
export const RANGES: Readonly<Record<string, number>> = {
  '15m': 900_000,
  '1h': 3_600_000,
  '6h': 21_600_000,
  '24h': 86_400_000,
}

const RANGE_DEFAULT = '15m'
const REFRESH_DEFAULT_S = 5

/** `1h`, or two moments: `1700000000000-1700000060000`. The last 15 minutes for anything else. */
export function parseRange(text: string | undefined): Range {
  const [, from, to] = /^(\d{1,14})-(\d{1,14})$/.exec(text ?? '') ?? []
  if (from !== undefined && to !== undefined && Number(from) < Number(to)) {
    return { fromMs: Number(from), toMs: Number(to) }
  }
  return { lastMs: RANGES[rangeName(text)] ?? 900_000 }
}

/** The name of the range among those offered; `15m` for anything else. */
export function rangeName(text: string | undefined): string {
  return text !== undefined && Object.hasOwn(RANGES, text) ? text : RANGE_DEFAULT
}

/** A range between two moments, as a parameter. */
export function rangeBetween(fromMs: number, toMs: number): string {
  return `${Math.floor(fromMs)}-${Math.max(Math.ceil(toMs), Math.floor(fromMs) + 1)}`
}

/** From when to when that is. */
export function momentsOf(
  range: Range,
  presentMs: number,
): { readonly fromMs: number; readonly toMs: number } {
  return 'lastMs' in range ? { fromMs: presentMs - range.lastMs, toMs: presentMs } : range
}

/** Seconds between two times of asking; 0: never by itself. Default 5. */
export function parseRefreshS(text: string | undefined): number {
  const value = Number(text ?? REFRESH_DEFAULT_S)
  return [0, 2, 5, 15, 60].includes(value) ? value : REFRESH_DEFAULT_S
}
