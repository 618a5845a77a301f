/**
 * The waiting room before a route, as clients see it: 503 with `Retry-After` and a ticket in a cookie, until it is their time.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import { FlotillaError } from '@flotilla/core/error'
import type { Counter, Family, Metrics } from '@flotilla/core/metrics'
import type { Turn } from '../http/turn.ts'
import type { RequestHead } from '../match/request-head.ts'
import type { Paper } from '../waiting/waiting-room.ts'
import { countedBy } from './edge-policies.ts'
import type { Entry } from './waiting-entry.ts'

/** Lets visitors in, or has them wait. */
export class Admission {
  readonly #visitors: Family<Counter>

  constructor(metrics: Metrics) {
    this.#visitors = metrics.counter(
      'flotilla_gateway_waiting_room_total',
      'Requests that came to a waiting room: let in, told to wait, or told that it is full.',
      ['outcome'],
    )
  }

  /**
   * Goes on when they are let in; `headers` then have their pass if it is new.
   *
   * @throws FlotillaError `unavailable`, reason `waiting_room`, for who has to wait; `headers` then have their ticket
   */
  admit(
    { room, cookie }: Entry,
    { head, turn, user, address }: Visitor,
    headers: { push(...fields: string[]): void },
  ): void {
    const entrance = room.enter(countedBy('user', user, address), cookieOf(head.rawHeaders, cookie))
    this.#visitors.with(entrance.kind).add()
    const paper = entrance.kind === 'full' ? undefined : entrance.paper
    if (paper !== undefined)
      headers.push('set-cookie', cookieFor(cookie, paper, turn.peer.tlsVersion !== undefined))
    if (entrance.kind === 'in') return
    const waitS = Math.max(1, Math.ceil(entrance.waitMs / 1_000))
    const detail =
      entrance.kind === 'waits'
        ? `There are many before you; come again in ${waitS} s. Your place is kept.`
        : 'There are more than can be let in for long; try again later.'
    throw new FlotillaError('unavailable', detail, {
      reason: 'waiting_room',
      executed: 'no',
      retryAfterMs: entrance.waitMs,
    })
  }
}

/** Who comes. */
export interface Visitor {
  readonly head: RequestHead
  readonly turn: Turn
  readonly user: User | undefined
  readonly address: string
}

function cookieFor(name: string, { text, goodS }: Paper, isSecure: boolean): string {
  return `${name}=${text}; Path=/; Max-Age=${goodS}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
}

/** RFC 6265, 4.2. */
function cookieOf(rawHeaders: readonly string[], name: string): string | undefined {
  const start = `${name}=`
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== 'cookie') continue
    const its = rawHeaders[index + 1]?.split(';').find((one) => one.trimStart().startsWith(start))
    if (its !== undefined) return its.trim().slice(start.length)
  }
  return undefined
}
