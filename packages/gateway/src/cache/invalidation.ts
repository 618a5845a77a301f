/**
 * Which answers are no longer true when something happened: what an app says about its events.
 *
 * @module
 */
import type { Envelope } from '@flotilla/core/envelope'
import type { EventType } from '@flotilla/core/event'
import type { Static, TSchema } from '@flotilla/core/schema'

/** A kind of event, and what it changes; made by `invalidates`. */
export interface Invalidation {
  readonly type: EventType
  readonly tagsOf: (data: never) => readonly string[]
}

/**
 * An event after which answers with these tags are not true any more; of no tag, if that can be seen from its data.
 *
 * @example
 * ```ts
 * import { event } from '@flotilla/core/event'
 * import { defineContract } from '@flotilla/core/contract'
 * import { Type } from '@flotilla/core/schema'
 * import { invalidates } from '@flotilla/gateway/cache'
 * const moved = event({ version: 1, key: 'id', summary: 'Moved.', data: Type.Object({ id: Type.String() }) })
 * const ships = defineContract({ name: 'ships', version: 1, summary: 'Ships.', operations: {}, events: { moved } })
 * const { type } = invalidates(ships.events.moved, ({ id }) => ['ships', `ship:${id}`])
 * assert.equal(type.id, 'ships.moved')
 * ```
 */
export function invalidates<D extends TSchema>(
  type: EventType<D>,
  tagsOf: (data: Static<D>) => readonly string[],
): Invalidation {
  return { type, tagsOf }
}

/** What an event changes; undefined: it cannot be read here, and may have changed anything. */
export function changedBy(
  invalidations: readonly Invalidation[],
  { type: id, version, data }: Envelope,
): readonly string[] | undefined {
  try {
    return invalidations
      .filter(({ type }) => type.id === id)
      .flatMap(({ type, tagsOf }) => tagsOf(type.read(version, data) as never))
  } catch {
    // A newer publisher's, or one that the app's function does not know what to do with: either way it is not known.
    return undefined
  }
}
