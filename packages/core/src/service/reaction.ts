/**
 * What a service does when something happened elsewhere (or in itself).
 *
 * A reaction runs in a transaction of the service's own database, together with the memory that the event was handled, and
 * often with other events in the same transaction; it may run again from the start. So all it may do is to read, to write
 * through `ctx.tx`, and to publish through it. What has to call somebody outside writes down that it has to, and a background
 * task does it.
 *
 * @module
 */
import type { EventType } from '../contract/event.ts'
import type { Static, TSchema } from '../contract/schema.ts'
import type { Reaction, ReactionContext, ReceivedEvent } from './definition.ts'

/** Reacts to one kind of event. Data comes upcast and checked; what cannot be read is parked. */
export function on<D extends TSchema>(
  type: EventType<D>,
  handle: (event: ReceivedEvent<Static<D>>, ctx: ReactionContext) => Promise<void> | void,
): Reaction {
  return { topic: type.id, type, handle: handle as Reaction['handle'] }
}

/** Reacts to all events of a service (`orders.*`), or to all there are (`*`). */
export function onAny(
  topic: `${string}.*` | '*',
  handle: (event: ReceivedEvent, ctx: ReactionContext) => Promise<void> | void,
): Reaction {
  return { topic, type: undefined, handle }
}
