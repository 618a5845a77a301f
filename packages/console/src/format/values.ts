/**
 * Values of fields and attributes as text, and JSON laid out for reading.
 *
 * @module
 */

/** A value in one line: text as it is, the rest as JSON. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return value
  return JSON.stringify(value) ?? String(value)
}

/** A value laid out over lines. */
export function valueBlock(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value, undefined, 2) ?? String(value))
}

/** Fields within fields by their path, `error.code`, as they are looked for; those without a value are left out. */
export function leavesOf(
  fields: Readonly<Record<string, unknown>>,
  path = '',
): (readonly [path: string, value: unknown])[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const own = `${path}${name}`
    if (value === undefined) return []
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[own, value] as const]
    return leavesOf({ ...value }, `${own}.`)
  })
}

/** What all lines have says little of one. */
const USUAL: ReadonlySet<string> = new Set(['version', 'request_id'])

/** The first fields of a line in a few words, its own before those of all lines, at most so many characters: `method=GET status=200 …`. */
export function previewOf(fields: Readonly<Record<string, unknown>>, charsMax: number): string {
  const leaves = leavesOf(fields)
  const own = leaves.filter(([name]) => !USUAL.has(name))
  const usual = leaves.filter(([name]) => USUAL.has(name))
  const terms = [...own, ...usual].map(([name, value]) => `${name}=${valueText(value)}`)
  let text = ''
  for (const [index, term] of terms.entries()) {
    const longer = index === 0 ? term : `${text} ${term}`
    if (longer.length > charsMax) return `${index === 0 ? longer.slice(0, charsMax) : text} …`
    text = longer
  }
  return text
}

const BARE = /^[\w.:/@-]+$/

/** `field=value` as the query language of logs takes it: quoted where it has to be. */
export function queryTerm(field: string, value: unknown): string {
  const text = valueText(value)
  return `${field}=${BARE.test(text) ? text : `"${text.replace(/(["\\])/g, '\\$1')}"`}`
}

/** A query with one more term; the same where it has it already. */
export function withTerm(query: string, term: string): string {
  const present = query.trim()
  if (present === '') return term
  return ` ${present} `.includes(` ${term} `) ? present : `${present} ${term}`
}
