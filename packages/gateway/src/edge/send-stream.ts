/**
 * The answer to a call that gives a stream: server-sent events, until it ends, its client leaves or has no session any more, or the gateway
 * leaves.
 *
 * @module
 */
import type { Cancellation } from '@flotilla/core/cancellation'
import { problemOf } from '@flotilla/core/problem'
import { sendEvents } from '@flotilla/core/send-events'
import type { Turn } from '../http/turn.ts'
import type { Edge } from './equipment.ts'
import type { RequestRecord } from './request-record.ts'

/** What it takes. */
export interface SendStreamOptions {
  readonly turn: Turn
  readonly record: RequestRecord
  /** Stops the stream. */
  readonly cancellation: Cancellation
  /** The headers of the answer, with those of the stream: names and values in turn. */
  readonly headersWith: (own: readonly string[]) => readonly string[]
  /** It failed before its first item. */
  readonly onFail: (error: unknown) => void
}

/** Sends it. */
export function sendStream(
  { runtime, streams }: Edge,
  items: AsyncIterable<unknown>,
  { turn, record, cancellation, headersWith, onFail }: SendStreamOptions,
): void {
  const { trace } = record
  // Its head goes out long before it ends; draining must not be left with a connection that was promised to stay.
  turn.keepsConnection = false
  streams.add(cancellation, record.asker)
  void sendEvents((own) => turn.stream(200, headersWith(own)), items, {
    clock: runtime.clock,
    cancellation,
    problemOf: (error) => problemOf(error, trace.traceId),
  })
    .then((bytes) => record.ended(200, bytes, undefined))
    .catch(onFail)
    .finally(() => streams.delete(cancellation))
}
