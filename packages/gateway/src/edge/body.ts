/**
 * The body of a request: JSON in UTF-8, of bounded length.
 *
 * @module
 */
import { isUtf8 } from 'node:buffer'
import { FlotillaError } from '@flotilla/core/error'
import { parseUntrustedJson } from '@flotilla/core/json'
import type { Turn } from '../http/turn.ts'
import type { RequestHead } from '../match/request-head.ts'
import { type Known, type Step, transform } from '../policy/transform.ts'

const BODY_BYTES_MAX = 1024 * 1024
const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i

/**
 * Reads it; undefined when there is none.
 *
 * @param steps what the operator makes of it, with what is known of the request
 * @param bytesMax of it; default 1 MiB
 * @throws FlotillaError `invalid_argument`, with 413 or 415 where that says more; `canceled` when the client hangs up.
 */
export async function readJsonBody(
  turn: Turn,
  { hasBody, contentType, contentLength = 0 }: RequestHead,
  steps: readonly Step[] | undefined,
  known: Known,
  bytesMax = BODY_BYTES_MAX,
): Promise<unknown> {
  if (!hasBody) return undefined
  if (!JSON_TYPE.test(contentType ?? '')) {
    throw refuse('Send JSON, with Content-Type: application/json.', 415)
  }
  if (contentLength > bytesMax) throw tooLong(bytesMax)
  const bytes = await turn.readBody(bytesMax)
  if (!isUtf8(bytes)) throw refuse('The body is not UTF-8.')
  const body = parseUntrustedJson(bytes.toString('utf8'))
  return steps === undefined ? body : transform(steps, body, known)
}

function tooLong(bytesMax: number): FlotillaError {
  return refuse(`A body may have ${bytesMax} bytes.`, 413)
}

function refuse(message: string, status?: number): FlotillaError {
  return new FlotillaError('invalid_argument', message, { status, executed: 'no' })
}
