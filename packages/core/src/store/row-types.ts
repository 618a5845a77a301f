/**
 * How column values arrive: as what JSON can hold, and never rounded without notice.
 *
 * - `smallint`, `integer`, `real`, `double precision`, `oid`: number. `bigint`: number; one beyond 2^53 is an error, so
 *   select such a column as `::text`. `numeric`: string.
 * - `timestamptz`: ISO 8601 in UTC with milliseconds, such as `2026-11-20T10:00:00.000Z`; microseconds are cut off, so a
 *   column that is paged by must be `timestamptz(3)`. `infinity` and years before 1 stay as PostgreSQL writes them.
 * - `date`, `time`, `timestamp`, `interval`, `uuid` and all others: as PostgreSQL writes them.
 * - `json`, `jsonb`: parsed. `bytea`: Buffer. Arrays of all these: arrays.
 *
 * @module
 */
import pg from 'pg'
import { FlotillaError } from '../kernel/error.ts'

type Parser = (text: string) => unknown

const asWritten: Parser = (text) => text

/** Element parsers by type, with the type's OID and that of its array. @source pg_type.dat */
const ELEMENTS: readonly (readonly [oid: number, arrayOid: number, parse: Parser])[] = [
  [20, 1016, parseInt8],
  [1700, 1231, asWritten], // numeric
  [1184, 1185, parseTimestamptz],
  [1114, 1115, asWritten], // timestamp
  [1082, 1182, asWritten], // date
  [1186, 1187, asWritten], // interval
]

const parsers = new Map<number, Parser>()
for (const [oid, arrayOid, parse] of ELEMENTS) {
  parsers.set(oid, parse)
  parsers.set(arrayOid, (text) => parseArray(text, parse))
}

/** The driver's type table with ours on top. */
export const rowTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    parsers.get(oid) ?? pg.types.getTypeParser(oid, format as 'text'),
}

function parseInt8(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value)) return value
  throw new FlotillaError('internal', 'A bigint beyond 2^53 was selected; select it as ::text.')
}

const TIMESTAMPTZ = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00$/

/** Sessions run in UTC, so the offset is always +00. */
function parseTimestamptz(text: string): string {
  const match = TIMESTAMPTZ.exec(text)
  if (!match) return text
  const [, date, time, fraction = ''] = match
  return `${date}T${time}.${fraction.slice(0, 3).padEnd(3, '0')}Z`
}

/** OID of `text[]`: its parser knows the quoting of all array literals. */
const TEXT_ARRAY = 1009 as Parameters<typeof pg.types.getTypeParser>[0]

function parseArray(text: string, parse: Parser): unknown[] {
  return parseItems(pg.types.getTypeParser(TEXT_ARRAY)(text), parse)
}

function parseItems(items: readonly unknown[], parse: Parser): unknown[] {
  return items.map((item) => {
    if (Array.isArray(item)) return parseItems(item, parse)
    return item === null ? null : parse(item as string)
  })
}
