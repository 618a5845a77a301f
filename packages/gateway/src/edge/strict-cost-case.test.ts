/**
 * A case of the campaign of costs: what one connection sends.
 *
 * @module
 */
import { get } from './strict-requests.test.ts'

/** The bytes of a connection. */
export interface CostCase {
  readonly name: string
  readonly kind: 'sent' | 'held'
  readonly protocol: 'h1' | 'h2' | 'plain to TLS'
  readonly bytes: Buffer
  readonly requests: number
  /** The client leaves when it is answered. */
  readonly endsAtAnswer?: boolean
  /** The client leaves after so many milliseconds: the gateway would listen to nothing for as long as to an idle connection. */
  readonly leavesAfterMs?: number
  /** The gateway limits how often an address may ask, as it does unless told otherwise. */
  readonly isLimited?: boolean
  /** The client reads the answers after so many milliseconds, all at once: that is cheaper than one by one. */
  readonly readsAfterMs?: number
  /** The client does not read. */
  readonly isDeaf?: boolean
  /** Connections. */
  readonly atOnce?: number
}

/** As many as fit well below what a connection may have. */
export const REPEATS = 200
const LAST = get('Connection: close\r\n', '/nothing')

/** One that is sent by HTTP/1.1 again and again; the last asks to close. */
export function repeated(name: string, request: string, times = REPEATS): CostCase {
  const bytes = Buffer.from(request.repeat(times) + LAST, 'latin1')
  return { name, kind: 'sent', protocol: 'h1', bytes, requests: times }
}

/** One after which nothing is understood. */
export function single(name: string, request: string): CostCase {
  return { name, kind: 'sent', protocol: 'h1', bytes: Buffer.from(request, 'latin1'), requests: 1 }
}
