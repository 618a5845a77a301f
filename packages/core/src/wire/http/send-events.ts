/**
 * A stream sent as server-sent events, to a browser or another service.
 *
 * @module
 */
import type { Writable } from 'node:stream'
import type { CancelListener, Cancellation } from '../../kernel/cancellation.ts'
import type { Clock } from '../../kernel/clock.ts'
import { FlotillaError } from '../../kernel/error.ts'
import { BODY_BYTES_MAX } from './bounded-text.ts'
import { formatEvent, KEEP_ALIVE_COMMENT } from './server-sent-events.ts'

/** How to send. */
export interface SendEventsOptions {
  readonly clock: Clock
  /** Stops waiting for a side that does not read; stopping `items` is their maker's business. */
  readonly cancellation: Cancellation
  /** The data of the `error` event that ends a stream which failed. */
  readonly problemOf: (error: FlotillaError) => object
}

const KEEP_ALIVE_MS = 15_000

/**
 * Sends every item, as fast as the other side reads; resolves with the number of bytes when the stream has ended.
 *
 * @param open sends the head with these fields, names and values in turn, and gives what the body is written to
 * @throws FlotillaError when it fails before its first item: nothing was sent, and an ordinary error can be answered.
 */
export async function sendEvents(
  open: (headers: readonly string[]) => Writable,
  items: AsyncIterable<unknown>,
  options: SendEventsOptions,
): Promise<number> {
  const iterator = items[Symbol.asyncIterator]()
  let result = await iterator.next()
  const outgoing = open(['content-type', 'text/event-stream', 'cache-control', 'no-store'])
  let bytes = 0
  const write = (text: string): boolean => {
    bytes += Buffer.byteLength(text)
    return outgoing.write(text)
  }
  const keepAlive = (): void => {
    write(KEEP_ALIVE_COMMENT)
    timer = options.clock.schedule(KEEP_ALIVE_MS, keepAlive)
  }
  let timer = options.clock.schedule(KEEP_ALIVE_MS, keepAlive)
  try {
    while (!result.done && !outgoing.destroyed) {
      const event = formatEvent('message', result.value)
      if (event.length > BODY_BYTES_MAX) throw new FlotillaError('internal', 'An item is too long.')
      if (!write(event)) await drained(outgoing, options.cancellation)
      result = await iterator.next()
    }
    write(formatEvent('end', {}))
  } catch (error) {
    write(formatEvent('error', options.problemOf(error as FlotillaError)))
  } finally {
    timer.cancel()
    await iterator.return?.()
    // What nobody reads must not keep the connection.
    if (options.cancellation.error !== undefined && outgoing.writableNeedDrain) outgoing.destroy()
    else outgoing.end()
  }
  return bytes
}

/** Resolves when the other side has read on, or is gone, or is not waited for any more. */
function drained(outgoing: Writable, cancellation: Cancellation): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done).off('close', done)
      cancellation.unlisten(listener)
      resolve()
    }
    const listener: CancelListener = { canceled: done }
    outgoing.on('drain', done).on('close', done)
    cancellation.listen(listener)
  })
}
