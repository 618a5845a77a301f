/**
 * The events of an aggregate, without the database: their types, what may be written, and how what was written by
 * older code is read.
 *
 * Events are never rewritten. When the data of a kind of event change so that older ones no longer fit, its version
 * grows by one, and an *upcast* from the version before says how to read those: `upcasts: { 1: (data) => … }` makes data
 * of version 2 from data of version 1. They are applied one after the other, so each is written once and never changes.
 *
 * @module
 */
import { closed, lazyCheck, type Static, type TSchema } from '../contract/schema.ts'
import { FlotillaError } from '../kernel/error.ts'

/** Makes data of the next version from data of this one. */
export type Upcast = (data: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>

/** A kind of event that happens to an aggregate. */
export interface EventKind<D extends TSchema = TSchema> {
  /** Of the shape of `data`; from 1. */
  readonly version: number
  readonly data: D
  /** By the version they read; one for each below `version`. */
  readonly upcasts?: Readonly<Record<number, Upcast>>
}

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
  const known = new Map(Object.entries(kinds).map(([type, kind]) => [type, prepare(aggregate, type, kind)]))
  const kindOf = (type: string) => {
    const kind = known.get(type)
    if (kind === undefined) throw broken(`${aggregate} has no event ${type}`)
    return kind
  }
  return {
    write({ type, data }) {
      const { kind, check } = kindOf(type)
      const asRead: unknown = JSON.parse(JSON.stringify(data))
      const issues = check(asRead)
      if (issues !== undefined) throw broken(`${aggregate}.${type} was made of ${JSON.stringify(issues)}`)
      return { type, version: kind.version, data: asRead }
    },
    read({ type, version, data }) {
      const { kind, check } = kindOf(type)
      if (version > kind.version) throw broken(`${aggregate}.${type} of version ${version} is of newer code`)
      let upcast = data as Readonly<Record<string, unknown>>
      for (let from = version; from < kind.version; from++) upcast = kind.upcasts?.[from]?.(upcast) ?? upcast
      // What was written in today's shape was checked then.
      const issues = version === kind.version ? undefined : check(upcast)
      if (issues !== undefined)
        throw broken(`${aggregate}.${type} of version ${version} is upcast to ${JSON.stringify(issues)}`)
      return { type, data: upcast } as NewEvent<E>
    },
  }
}

function prepare(aggregate: string, type: string, kind: EventKind) {
  if (!Number.isInteger(kind.version) || kind.version < 1)
    throw refused(`${aggregate}.${type} needs a version from 1`)
  for (let from = 1; from < kind.version; from++) {
    if (kind.upcasts?.[from] === undefined)
      throw refused(`${aggregate}.${type} needs an upcast from version ${from}`)
  }
  return { kind, check: lazyCheck(closed(kind.data)) }
}

function broken(what: string): FlotillaError {
  return new FlotillaError('internal', what)
}

function refused(what: string): FlotillaError {
  return new FlotillaError('invalid_argument', `${what}.`, { executed: 'no' })
}
