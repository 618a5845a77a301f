/**
 * Who takes the body of a request, whatever carries it: as a whole, or as a stream.
 *
 * @module
 */
import { Readable } from 'node:stream'
import type { FlotillaError } from '@flotilla/core/error'

/** Takes a body. */
export interface BodyReceiver {
  readonly bytesMax: number
  /** False: for now it is enough. */
  take(part: Buffer): boolean
  /** It is whole. */
  done(): void
  /** It will not be whole. */
  fail(error: FlotillaError): void
}

/**
 * Has a body received, and resolves when it is whole. Parts are put together as they come: to keep a million parts of a byte each would
 * take hundreds of times their bytes.
 */
export function wholeBody(bytesMax: number, receive: (receiver: BodyReceiver) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let body: Buffer = Buffer.alloc(0)
    let length = 0
    receive({
      bytesMax,
      take(part) {
        const start = length
        length += part.length
        // Most bodies have one part.
        if (start === 0) body = part
        else {
          if (length > body.length) body = grown(body, start, Math.min(bytesMax, 2 * length))
          part.copy(body, start)
        }
        return true
      },
      done: () => resolve(body.subarray(0, length)),
      fail: reject,
    })
  })
}

function grown(bytes: Buffer, length: number, bytesMax: number): Buffer {
  const more = Buffer.allocUnsafeSlow(bytesMax)
  bytes.copy(more, 0, 0, length)
  return more
}

/** Has a body received as it is read; `goOn` is called when there is room again. */
export function streamedBody(
  bytesMax: number,
  receive: (receiver: BodyReceiver) => void,
  goOn: () => void,
): Readable {
  const body = new Readable({ read: goOn })
  // It may fail before its reader listens, and a stream that fails unheard ends the process; the reader finds it destroyed.
  body.on('error', () => {})
  receive({
    bytesMax,
    take: (part) => body.push(part),
    done: () => body.push(null),
    fail: (error) => body.destroy(error),
  })
  return body
}
