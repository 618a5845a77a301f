/**
 * The waiting room of a route, and what its visitors keep.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { WaitingRoom } from '../waiting/waiting-room.ts'

/** A room, and the cookie that its visitors keep their papers in. */
export interface Entry {
  readonly room: WaitingRoom
  readonly cookie: string
}

const COOKIE_ID_CHARS = 8

/** The cookie of the room with this id. */
export function cookieName(id: string): string {
  return `room-${createHash('sha256').update(id).digest('hex').slice(0, COOKIE_ID_CHARS)}`
}
