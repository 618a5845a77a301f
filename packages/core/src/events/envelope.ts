/**
 * An event on its way: what a publisher told, and where it belongs.
 *
 * @module
 */
import { type Static, Time, Type } from '../contract/schema.ts'

/** Data of one event, as JSON. */
export const DATA_BYTES_MAX = 65_536

/** One event. */
export const Envelope = Type.Object(
  {
    /** A UUID; the same however often it is told. */
    id: Type.String({ minLength: 36, maxLength: 36 }),
    /** Its kind, which is also its topic: `orders.confirmed`. */
    type: Type.String({ minLength: 3, maxLength: 80 }),
    /** Of the shape of `data`. */
    version: Type.Integer({ minimum: 1 }),
    /** The service that published it. */
    source: Type.String({ minLength: 1, maxLength: 31 }),
    /** When it was published. */
    time: Time,
    /** Events with the same key are told in the order in which they were published. */
    key: Type.String({ maxLength: 200 }),
    /** What everything that follows from one request has in common. */
    correlationId: Type.String({ maxLength: 200 }),
    /** The event it is a reaction to. */
    causationId: Type.Union([Type.String({ maxLength: 36 }), Type.Null()]),
    /** The span that published it, as in W3C Trace Context. */
    traceparent: Type.String({ maxLength: 55 }),
    data: Type.Unknown(),
  },
  { title: 'Event' },
)

/** One event as a value. */
export type Envelope = Static<typeof Envelope>

/** Into how many parts the log is divided; each is read by one consumer of a group at a time. */
export const PARTITIONS = 8

/**
 * The part of the log, from 0, where the events of a key are.
 *
 * @source FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function partitionOf(key: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash % PARTITIONS
}

/** True when `topic` is one of `patterns`: a topic, all of a service (`orders.*`), or all there are (`*`). */
export function isTopicOf(topic: string, patterns: readonly string[]): boolean {
  return patterns.some(
    (pattern) =>
      pattern === topic || pattern === '*' || (pattern.endsWith('.*') && topic.startsWith(pattern.slice(0, -1))),
  )
}
