/**
 * The event log as a port: what producers and consumers of events rely on, whoever keeps the log.
 *
 * **What it promises**
 *
 * - *Durable.* When `append` resolves, its events are on disk, all of them. When it rejects with `executed: 'no'`, none is in the
 *   log; with `maybe`, all are or none is, and whoever wants them in appends them again.
 * - *At least once.* The log does not look whether it has an event already: one that was appended twice is told twice, with the same
 *   `id`. Consumers remember what they handled.
 * - *In order.* Every event has a position; positions only grow. The events of one append keep their order, and an append that
 *   began after another one was acknowledged comes after it. So events with the same key, which have one producer, come in the
 *   order of that producer.
 * - *Visible in order.* Once an event can be read, none will ever appear at a position before it. That is what makes "everything up
 *   to position n" a thing one can remember.
 * - *Replay.* A follower says from which position on it wants to be told, and gets everything after it that is still kept.
 * - *Positions are the follower's.* The log knows no groups: each keeps its positions where it keeps its effects, and two never
 *   disturb each other.
 * - *Fenced.* Producers of one source are numbered. After an append with a number, those with lower ones are refused: a producer
 *   that was replaced while it slept writes nothing.
 * - *Kept for a while.* Events older than the log's retention are forgotten, the oldest first. A follower that wants them gets what
 *   is left, and is told up to where it has missed some.
 *
 * @module
 */
import type { Envelope } from './envelope.ts'

/** Events that one append may hold. */
export const APPEND_EVENTS_MAX = 500

/** Bytes of JSON data that one append may hold in all. */
export const APPEND_BYTES_MAX = 1024 * 1024

/** Events of one batch that a follower is told; it may ask for fewer. */
export const BATCH_EVENTS_MAX = 200

/** Bytes of JSON data after which a batch ends; it always has room for one event. */
export const BATCH_BYTES_MAX = 512 * 1024

/** An event and its place in the log. */
export interface LoggedEvent {
  /** From 1. */
  readonly position: number
  readonly partition: number
  readonly event: Envelope
}

/** News for a follower. */
export interface Batch {
  /** What is new and wanted, by position; may be empty. */
  readonly events: readonly LoggedEvent[]
  /** Everything wanted up to this position was told, with this batch at the latest. */
  readonly upTo: number
  /**
   * Present on the first batch when the log has forgotten something that the follower asked for: events between its position and this
   * one. For one that starts at 0, whatever the log has forgotten.
   */
  readonly forgottenUpTo?: number
  /** With `heartbeatMs`: true when the log goes no further than this batch, as far as its keeper knows at this moment. */
  readonly isEnd?: boolean
}

/** What a follower wants. */
export interface FollowOptions {
  /** Types of events: `orders.confirmed`, all of a service (`orders.*`), or all (`*`). */
  readonly topics: readonly string[]
  /** The partitions that are wanted, with the last position handled in each; 0 is the beginning. */
  readonly positions: Readonly<Record<number, number>>
  /** Events in a batch at most, up to 200. Default 200. */
  readonly limit?: number
  /**
   * Milliseconds after which a batch comes though there is no news: for who must know that it has missed nothing. From 50. Absent: such
   * a batch comes only when the log has grown.
   */
  readonly heartbeatMs?: number
}

/** How far the log goes. */
export interface Head {
  /** Of the newest event; 0 when there never was one. */
  readonly position: number
  /** Of the oldest event that is kept; `position + 1` when none is. */
  readonly oldest: number
}

/** An event log. */
export interface EventLog {
  /**
   * Adds events at the end, at consecutive positions or at least in this order: 1 to 500, of 1 MiB of data in all.
   *
   * @param fencing number of the producer among those of `source`, from 0; grows with every new one.
   * @throws FlotillaError with reason `fenced` when a later producer of `source` has appended; `invalid_argument` when an event is not
   *   one of `source` or too large; `unavailable`.
   */
  append(source: string, fencing: number, events: readonly Envelope[]): Promise<void>
  /**
   * Tells what is in the log, and then what comes, until `signal` aborts. May end by itself before: follow again. Says at once how far it goes when there is nothing to
   * tell, and later, every few seconds, when the log has grown by what is not wanted.
   *
   * @throws FlotillaError `failed_precondition` when a position is beyond the end of the log: it belongs to another log. `unavailable`
   *   when it cannot go on; follow again.
   */
  follow(options: FollowOptions, signal: AbortSignal): AsyncIterable<Batch>
  head(): Promise<Head>
}
