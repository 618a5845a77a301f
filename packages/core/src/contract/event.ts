/**
 * A fact that a service tells: what others may react to, with the version of its shape.
 *
 * @module
 */
import { FlotillaError } from '../kernel/error.ts'
import { type Check, closed, lazyCheck, opened, type Static, type TSchema } from './schema.ts'

/** Makes data of one version from data of the version before. */
export type Upcast = (data: never) => unknown

/** A kind of event, as declared. */
export interface EventSpec<D extends TSchema = TSchema> {
  /** Grows by one with every change that old readers cannot take. */
  readonly version: number
  /** The field of `data` whose equal values must be handled in order. */
  readonly key: string
  readonly summary: string
  readonly data: D
  /**
   * How events that were published in older versions become readable: `{ 1: … }` makes version 2 of version 1. Absent:
   * there are no older ones.
   */
  readonly upcasts?: Readonly<Record<number, Upcast>>
}

/** A kind of event of a contract. */
export interface EventType<D extends TSchema = TSchema> extends EventSpec<D> {
  readonly service: string
  readonly name: string
  /** `service.name`, unique in a system; also the topic it is found under. */
  readonly id: string
  /** What a publisher's data must pass: no field more than declared. */
  readonly check: Check
  /**
   * Data of version `version` as this contract reads it: upcast, and checked. Fields that a newer publisher added are left
   * in place.
   *
   * @throws FlotillaError `internal` for a version newer than ours or without an upcast, and for data that does not fit.
   */
  read(version: number, data: unknown): Static<D>
}

/** The data of an event as a type. */
export type EventData<E> = E extends EventSpec<infer D> ? Static<D> : never

/** Declares an event. */
export function event<D extends TSchema>(spec: EventSpec<D>): EventSpec<D> {
  return spec
}

/** Gives an event its place in a contract. */
export function nameEvent(service: string, name: string, spec: EventSpec): EventType {
  const id = `${service}.${name}`
  const checkRead = lazyCheck(opened(spec.data as Readonly<Record<string, unknown>>) as TSchema)
  return {
    ...spec,
    service,
    name,
    id,
    check: lazyCheck(closed(spec.data)),
    read(version, given) {
      const current = upcast(id, spec, version, given)
      const issues = checkRead(current)
      if (issues === undefined) return current
      throw unreadable(id, version, JSON.stringify(issues))
    },
  }
}

function upcast(id: string, spec: EventSpec, version: number, data: unknown): unknown {
  if (!Number.isInteger(version) || version < 1 || version > spec.version) {
    throw unreadable(id, version, `the newest known here is ${spec.version}`)
  }
  let current = data
  for (let from = version; from < spec.version; from++) {
    const step = spec.upcasts?.[from]
    if (step === undefined) throw unreadable(id, version, `nothing makes version ${from + 1} of ${from}`)
    current = step(current as never)
  }
  return current
}

function unreadable(id: string, version: number, why: string): FlotillaError {
  return new FlotillaError('internal', `An event ${id} of version ${version} cannot be read: ${why}.`)
}
