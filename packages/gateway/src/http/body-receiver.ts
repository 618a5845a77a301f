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

/** Has a body received, and resolves when it is whole. */
export function wholeBody(bytesMax: number, receive: (receiver: BodyReceiver) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    receive({
      bytesMax,
      take: (part) => parts.push(part) > 0,
      done: () => resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)),
      fail: reject,
    })
  })
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
