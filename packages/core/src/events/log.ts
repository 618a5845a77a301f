/**
 * The event log as a port: what is promised to those who publish and those who react, whatever keeps the events.
 *
 * - **Durable**: what `append` has acknowledged is there after any crash.
 * - **In order for each key**: events of one source and key are told in the order of their appending. `append` refuses a source's
 *   fencing number lower than one it has seen, so a relay that was replaced cannot put anything behind its successor's.
 * - **At least once**: a relay that crashes between the acknowledgement and its own note of it appends again, so an event
 *   may be told twice, under the same id. Nothing that was acknowledged is left out.
 * - **Replay**: every event has a position; `follow` tells what is behind any position, the first one being 1. Positions
 *   grow, with gaps, and become visible in their order: whoever has seen one misses none below it.
 * - **Groups** keep their own positions, so they are independent of each other and of the log.
 * - **Retention**: events older than the log's retention are gone; who asks for what is gone starts at the oldest there is.
 *
 * @module
 */
import type { Envelope } from './envelope.ts'

/** An event with its place. */
export interface LoggedEvent {
  readonly position: number
  readonly partition: number
  readonly event: Envelope
}

/** What a follower is told at once. */
export interface LogBatch {
  /** In order of position; none when only `upTo` moved. */
  readonly events: readonly LoggedEvent[]
  /** Everything asked for up to here was told. */
  readonly upTo: number
  /** The last position there is. */
  readonly head: number
}

/** What a follower wants. */
export interface FollowOptions {
  /** Kinds of events: `orders.confirmed`, `orders.*` or `*`. */
  readonly topics: readonly string[]
  /** The partitions it reads, each with the position after which to begin; 0: from the oldest. */
  readonly positions: Readonly<Record<number, number>>
  /** Ends the following. */
  readonly signal: AbortSignal
}

/** The port. */
export interface EventLog {
  /**
   * Puts events, at most 500, at the end of the log, all or none.
   *
   * @throws FlotillaError reason `fenced` when a higher fencing number of `source` was seen.
   */
  append(source: string, fencing: number, events: readonly Envelope[]): Promise<void>
  /**
   * Tells what is there and what comes, until it is ended. The first batch comes at once, also when it has no events. Fails
   * when the log cannot be reached; who follows then begins anew.
   */
  follow(options: FollowOptions): AsyncIterable<LogBatch>
}
