/**
 * Why a body is not taken, whatever carries it.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'

/** It did not come in time. */
export function late(): FlotillaError {
  return new FlotillaError('invalid_argument', 'The body took too long.', { status: 408, executed: 'no' })
}

/** It has more than `bytesMax` bytes. */
export function tooLong(bytesMax: number): FlotillaError {
  return new FlotillaError('invalid_argument', `A body may have ${bytesMax} bytes.`, {
    status: 413,
    executed: 'no',
  })
}

/** Who sent it is gone. */
export function hungUp(): FlotillaError {
  return new FlotillaError('canceled', 'The client hung up.', { executed: 'no' })
}
