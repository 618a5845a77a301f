/**
 * The events of an aggregate, without the database: their types, what may be written, and how what was written by
 * older code is read.
 *
 * Events are never rewritten. When the data of a kind of event change so that older ones no longer fit, its version
 * grows by one, and an upcast says how those of the version before are read, as for the events of a contract.
 *
 * @module
 */
import { type EventSpec, nameEvent } from '../contract/event.ts'
import type { Static, TSchema } from '../contract/schema.ts'
import { FlotillaError } from '../kernel/error.ts'

/** A kind of event that happens to an aggregate. */
export type EventKind<D extends TSchema = TSchema> = Pick<EventSpec<D>, 'version' | 'data' | 'upcasts'>

/** Kinds of events by name. */
export type EventKinds = Readonly<Record<string, EventKind>>

/** Who did it. */
export interface Actor {
  /** Such as `user`, `service`, `admin`, `provider`. */
  readonly kind: string
  readonly id: string
}

/** Who appends, and what makes it happen: a request, an event, a step of a saga; at most 255 bytes. */
export interface Origin {
  readonly actor: Actor
  readonly cause: string
}

/** What is known of an event besides its data. */
export interface EventMeta extends Origin {
  /** 1 for the aggregate's first event, then one more each. */
  readonly version: number
  /** ISO 8601 with milliseconds, by the database's clock: when the transaction began that appended it, never before the event below. */
  readonly at: string
}

/** An event to be appended. */
export type NewEvent<E extends EventKinds> = {
  readonly [K in keyof E & string]: { readonly type: K; readonly data: Static<E[K]['data']> }
}[keyof E & string]

/** An event that happened, its data in the shape of today. */
export type PastEvent<E extends EventKinds> = NewEvent<E> & EventMeta

/** An event as it is kept. */
export interface StoredEvent {
  readonly type: string
  readonly version: number
  readonly data: unknown
}

/** Writes and reads the events of one kind of aggregate. */
export interface EventCodec<E extends EventKinds> {
  /**
   * The event as it will be read again, so that nobody goes on with a field that JSON drops.
   *
   * @throws FlotillaError `internal` when the data do not fit.
   */
  write(event: NewEvent<E>): StoredEvent
  /** @throws FlotillaError `internal` when it comes from newer code, or the upcasts do not lead to data that fit. */
  read(event: StoredEvent): NewEvent<E>
}

/** @throws FlotillaError `invalid_argument` when an upcast is missing. */
export function createEventCodec<E extends EventKinds>(aggregate: string, kinds: E): EventCodec<E> {
  const types = new Map(
    Object.entries(kinds).map(([name, kind]) => {
      for (let from = 1; from < kind.version; from++) {
        if (kind.upcasts?.[from] !== undefined) continue
        const message = `${aggregate}.${name} needs an upcast of version ${from}.`
        throw new FlotillaError('invalid_argument', message, { executed: 'no' })
      }
      return [name, nameEvent(aggregate, name, { ...kind, key: '', summary: '' })]
    }),
  )
  const typeOf = (name: string) => {
    const type = types.get(name)
    if (type === undefined) throw new FlotillaError('internal', `${aggregate} has no event ${name}.`)
    return type
  }
  return {
    write({ type: name, data }) {
      const { id, version, check } = typeOf(name)
      const asRead: unknown = JSON.parse(JSON.stringify(data ?? null))
      const issues = check(asRead)
      if (issues !== undefined)
        throw new FlotillaError('internal', `An event ${id} is made wrongly: ${JSON.stringify(issues)}.`)
      return { type: name, version, data: asRead }
    },
    read: ({ type, version, data }) => ({ type, data: typeOf(type).read(version, data) }) as NewEvent<E>,
  }
}
