/**
 * An event as it travels: what happened, wrapped in what everybody must know who carries it.
 *
 * @source the field names are those of CloudEvents 1.0 where it has them, https://cloudevents.io
 * @module
 */
import { Id, type Static, Time, Type } from '../contract/schema.ts'
import { FlotillaError } from '../kernel/error.ts'
import { fnv1a } from '../kernel/hash.ts'

/** Characters a key may have. */
export const KEY_CHARS_MAX = 200

/** Bytes of `data` as JSON. */
export const DATA_BYTES_MAX = 64 * 1024

/**
 * A log has this many partitions, numbered from 0. Fixed for ever: with another number, keys would move and their events
 * lose their order.
 */
export const PARTITIONS = 8

/** No database keeps NUL in a text. */
const NO_NUL = '^[^\\u0000]*$'

/** The name of a service. */
export const Source = Type.String({ pattern: '^[a-z][a-z0-9-]{0,30}$' })

/** A kind of event, which is also its topic: the service that publishes it, a dot, its name there. */
export const EventId = Type.String({ pattern: '^[a-z][a-z0-9-]{0,30}\\.[a-z][A-Za-z0-9]{0,40}$' })

/** An event on its way. */
export const Envelope = Type.Object(
  {
    /** Unique among all events. An event that comes twice has the same one. */
    id: Id,
    type: EventId,
    /** Version of the shape of `data`. */
    version: Type.Integer({ minimum: 1, maximum: 10_000 }),
    /** The service that publishes it. */
    source: Source,
    /** When it happened. */
    time: Time,
    /** Events with equal keys are handled in the order in which they were published. */
    key: Type.String({ minLength: 1, maxLength: KEY_CHARS_MAX, pattern: NO_NUL }),
    /** What all events of one undertaking share, such as the id of the request that began it. */
    correlationId: Type.String({ minLength: 1, maxLength: 200, pattern: NO_NUL }),
    /** The event that this one follows from; null where it was a person's or a clock's doing. */
    causationId: Type.Union([Id, Type.Null()]),
    /** W3C trace context of whoever published it. */
    traceparent: Type.String({ pattern: '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' }),
    /** JSON of at most 64 KiB; its shape is that of the event's contract. */
    data: Type.Unknown(),
  },
  { title: 'Envelope' },
)

/** An event as a value. */
export type Envelope = Static<typeof Envelope>

/**
 * The partition, 0 to 7, of a key: FNV-1a of 32 bits over its UTF-8 bytes, the upper half folded onto the lower, modulo 8.
 *
 * @source Fowler, Noll, Vo: http://www.isthe.com/chongo/tech/comp/fnv/#xor-fold
 *
 * @example The same key always has the same one.
 * ```ts
 * import { partitionOf } from '@flotilla/core/envelope'
 * assert.deepEqual(['', 'a', 'order-1', 'ü'].map(partitionOf), [1, 0, 2, 7])
 * ```
 */
export function partitionOf(key: string): number {
  const hash = fnv1a(key)
  return ((hash >>> 16) ^ (hash & 0xffff)) % PARTITIONS
}

/**
 * `data` as the JSON that is kept.
 *
 * @throws FlotillaError `invalid_argument` when it is none, or longer than 64 KiB.
 */
export function dataJson({ type, data }: Pick<Envelope, 'type' | 'data'>): string {
  const text = JSON.stringify(data) as string | undefined
  if (text === undefined) {
    throw new FlotillaError('invalid_argument', `The data of ${type} is not JSON.`, { executed: 'no' })
  }
  // A text of so many characters has as many bytes at least.
  if (text.length > DATA_BYTES_MAX || Buffer.byteLength(text) > DATA_BYTES_MAX) {
    throw new FlotillaError(
      'invalid_argument',
      `The data of ${type} is longer than ${DATA_BYTES_MAX} bytes.`,
      {
        executed: 'no',
      },
    )
  }
  return text
}
