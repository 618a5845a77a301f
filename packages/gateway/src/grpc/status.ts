/**
 * The end of a gRPC call as our error, and what it says of the server that answered. Our codes are gRPC's. Pure.
 *
 * @source grpc.io, "Status codes and their use in gRPC"
 * @module
 */
import { type Code, codes } from '@flotilla/core/code'
import { FlotillaError } from '@flotilla/core/error'

/** In gRPC's order, which begins with OK. */
const BY_NUMBER = ['ok', ...Object.keys(codes)] as readonly string[]
const DETAIL_CHARS_MAX = 1_000
/** What these say is about the server, and for no client. */
const OF_THE_SERVER: ReadonlySet<Code> = new Set([
  'canceled',
  'unknown',
  'deadline_exceeded',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
])
/** The server is not well: as in `InstanceBreaker`. */
const NOT_WELL: ReadonlySet<Code> = new Set([
  'unknown',
  'deadline_exceeded',
  'internal',
  'unavailable',
  'data_loss',
])
const TOO_LONG = /^Received message larger than max/

/**
 * The error that is answered. What the server says of the request goes on to the client, what it says of itself only into the cause.
 *
 * @param status 1 to 16
 */
export function errorOfStatus(status: number, details: string): FlotillaError {
  const code = (BY_NUMBER[status] ?? 'unknown') as Code
  const cause = { status, details }
  // The library itself says this of an answer, with the code for too many requests.
  if (TOO_LONG.test(details))
    return new FlotillaError('internal', 'The answer is too long.', { status: 502, cause })
  const isTold = !OF_THE_SERVER.has(code) && details !== ''
  const message = isTold ? details.slice(0, DETAIL_CHARS_MAX) : `${codes[code].title}.`
  return new FlotillaError(code, message, { cause }, true)
}

/** True when the failure is the server's, so that others should be asked. */
export function isServerFault({ code }: FlotillaError): boolean {
  return NOT_WELL.has(code)
}
