/**
 * The waiting room before a route, as clients see it: 503 with `Retry-After` and a ticket in a cookie, until it is their time.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import { cookieOf, setCookie } from '@flotilla/core/cookie'
import { FlotillaError } from '@flotilla/core/error'
import type { Counter, Family, Metrics } from '@flotilla/core/metrics'
import { cookiesIn } from '../match/cookies.ts'
import type { RequestHead } from '../match/request-head.ts'
import { countedBy } from './edge-policies.ts'
import type { Entry } from './waiting-entry.ts'

/** Lets visitors in, or has them wait. */
export class WaitingRooms {
  readonly #visitors: Family<Counter>
  readonly #isSecure: boolean

  /** @param isSecure whether browsers come by TLS */
  constructor(metrics: Metrics, isSecure: boolean) {
    this.#isSecure = isSecure
    this.#visitors = metrics.counter(
      'flotilla_gateway_waiting_room_total',
      'Requests that came to a waiting room: let in, told to wait, or told that it is full.',
      ['outcome'],
    )
  }

  /**
   * Goes on when they are let in; the answer then has their pass if it is new.
   *
   * @throws FlotillaError `unavailable`, reason `waiting_room`, for who has to wait; the answer then has their ticket
   */
  admit({ room, cookie }: Entry, { head, user, address }: Visitor, answer: AnswerOfRoom): void {
    const entrance = room.enter(
      countedBy('user', user, address),
      cookieOf(cookiesIn(head.rawHeaders), cookie, this.#isSecure),
    )
    this.#visitors.with(entrance.kind).add()
    const paper = entrance.kind === 'full' ? undefined : entrance.paper
    if (paper !== undefined) {
      answer.headers.push('set-cookie', setCookie(cookie, paper.text, paper.goodS, this.#isSecure))
      answer.isForOne = true
    }
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

/** What the answer of somebody who came to a room will have. */
export interface AnswerOfRoom {
  /** Names and values in turn. */
  readonly headers: string[]
  isForOne: boolean
}

/** Who comes. */
export interface Visitor {
  readonly head: RequestHead
  readonly user: User | undefined
  readonly address: string
}
