/**
 * The order of a table's rows.
 *
 * @module
 */

/** A column, and which end comes first. */
export interface Order {
  readonly title: string
  readonly isDescending: boolean
}

/** `rate`, or `-rate` with the highest first; undefined where there is none. */
export function parseOrder(text: string | undefined): Order | undefined {
  if (text === undefined || text === '' || text === '-') return undefined
  return text.startsWith('-')
    ? { title: text.slice(1), isDescending: true }
    : { title: text, isDescending: false }
}

/** The rows in order; equal ones stay as they stood. */
export function sorted<Row>(
  rows: readonly Row[],
  by: (row: Row) => number | string,
  isDescending: boolean,
): readonly Row[] {
  const sign = isDescending ? -1 : 1
  return [...rows].sort((a, b) => sign * compare(by(a), by(b)))
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === 'string' || typeof b === 'string') return String(a).localeCompare(String(b), 'en')
  return a - b
}
