/**
 * Who is behind the calls of one connection. A user's token travels once, in a PRINCIPAL frame that gives it a number;
 * calls name the number. Frames arrive in order, so a number can be given anew: calls sent before meant the old one.
 *
 * @module
 */
import { anonymous, type Caller } from '../../kernel/caller.ts'
import { FlotillaError } from '../../kernel/error.ts'
import type { ProcessClaims } from '../credentials.ts'
import type { Trust } from '../trust.ts'
import { kinds, protocolError, REPLY_HEAD_BYTES } from './format.ts'
import { type FrameWriter, readUint32 } from './frame-writer.ts'

/** Tokens one connection knows at once. */
export const PRINCIPALS_MAX = 4_096

/** The calling side: gives numbers. */
export class Introducer {
  readonly #writer: FrameWriter
  readonly #numbers = new Map<string, number>()

  constructor(writer: FrameWriter) {
    this.#writer = writer
  }

  /** The number of a token; sends its PRINCIPAL at the first use, so it must not be called inside another frame. */
  numberOf(token: string): number {
    const known = this.#numbers.get(token)
    if (known !== undefined) return known
    if (this.#numbers.size >= PRINCIPALS_MAX) this.#numbers.clear()
    const number = this.#numbers.size + 1
    this.#numbers.set(token, number)
    const start = this.#writer.beginFor(kinds.principal, number)
    this.#writer.append(Buffer.from(token, 'latin1'))
    this.#writer.end(start, Number.POSITIVE_INFINITY)
    return number
  }
}

interface Principal {
  readonly token: string | undefined
  /** Checked already, by caller index + 1. */
  readonly callers: (Caller | undefined)[]
}

/** The answering side: remembers who the numbers are, and whom the process may speak for. */
export class Introduced {
  readonly #trust: Trust
  readonly #claims: ProcessClaims | undefined
  readonly #services: readonly string[]
  readonly #principals = new Map<number, Principal>([[0, { token: undefined, callers: [anonymous] }]])

  /** `services`: the HELLO's callers. `claims`: what its credential says. */
  constructor(trust: Trust, claims: ProcessClaims | undefined, services: readonly string[]) {
    this.#trust = trust
    this.#claims = claims
    this.#services = services
  }

  /** Takes a PRINCIPAL frame. */
  introduce(frame: Buffer): void {
    const number = readUint32(frame, 8)
    if (number === 0 || number > PRINCIPALS_MAX) throw protocolError(`principal ${number}`)
    this.#principals.set(number, { token: frame.toString('latin1', REPLY_HEAD_BYTES), callers: [] })
  }

  /**
   * Who a call is from; `service` is its caller index, negative for none.
   *
   * @throws FlotillaError `unauthenticated` or `permission_denied`.
   */
  caller(principal: number, service: number): Caller {
    const known = this.#principals.get(principal)
    if (known === undefined || service >= this.#services.length) {
      const message = 'The call names a principal or caller that was not introduced.'
      throw new FlotillaError('unauthenticated', message, { executed: 'no' })
    }
    const { token, callers } = known
    const seen = callers[service + 1]
    if (seen === undefined) {
      const caller = this.#trust.caller(this.#claims, this.#services[service], token)
      callers[service + 1] = caller
      return caller
    }
    // The token may have run out since: the trust remembers when.
    if (token !== undefined) this.#trust.user(token)
    return seen
  }
}
