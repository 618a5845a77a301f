/**
 * What lists with cursors have in common. A cursor tells where a page ended: the sort key of its last item and what
 * breaks ties. It also carries a check over that and the list it belongs to (sort, filters, words), so that a cursor
 * of another list, or one that somebody typed, is found out. The check is no secret: it guards against mistakes, and
 * what a cursor says is validated like any other input.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { accepts, type JsonSchema, type Static, type TSchema, Type } from '@flotilla/core/schema'

/** Strings and numbers: what items are sorted by. */
export type Position = readonly (string | number)[]

/** A time that is asked about, such as in a cursor; stricter than elsewhere in contracts, because PostgreSQL must take it. */
export const CursorTime = Type.String({ format: 'date-time', pattern: '^2', maxLength: 30 })

/** The cursor after `position` in `list`: anything that tells lists apart. */
export function writeCursor(list: Position, position: Position): string {
  const check = createHash('sha256')
    .update(JSON.stringify([list, position]))
    .digest('base64url')
    .slice(0, 8)
  return Buffer.from(JSON.stringify([check, ...position])).toString('base64url')
}

/** The position in a cursor of `list`; undefined when it was not made by `writeCursor` for this list. */
export function readCursor<S extends TSchema>(
  list: Position,
  schema: S,
  cursor: string,
): Static<S> | undefined {
  const position = positionIn(cursor)
  if (position === undefined || !accepts(schema as JsonSchema, position)) return undefined
  return writeCursor(list, position as Position) === cursor ? (position as Static<S>) : undefined
}

function positionIn(cursor: string): unknown {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(parsed) ? parsed.slice(1) : undefined
  } catch {
    // Not JSON: somebody else's text.
    return undefined
  }
}
