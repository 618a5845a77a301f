/**
 * Forgetting by hand. The operator's command reaches one gateway; it tells the others through the event log, which all of them
 * follow, itself included. In an app without an event log only the one that was reached forgets.
 *
 * An app that wants it puts `purgeCache` among the operations of its gateway's contract, and `cachePurged` among the events.
 *
 * @module
 */
import { role } from '@flotilla/core/access'
import { isoTime } from '@flotilla/core/clock'
import type { Contract } from '@flotilla/core/contract'
import { event } from '@flotilla/core/event'
import { command } from '@flotilla/core/operation'
import { Nothing, type Static, Type } from '@flotilla/core/schema'
import type { OperationContext, ServiceRuntime } from '@flotilla/core/service'
import type { Purge, ResponseCache } from './response-cache.ts'

/** What is to be forgotten; all that is named. */
const What = {
  /** Such as `product:42`. */
  tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 300 }), { maxItems: 100 })),
  /** Such as `catalog.products`. */
  operations: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 100 })),
  isEverything: Type.Optional(Type.Boolean()),
}

/** The operation. */
export const purgeCache = command({
  summary: 'Forgets answers that gateways keep: by tag, by operation, or all.',
  access: role('admin'),
  http: { route: 'POST /cache/purge', status: 204 },
  idempotency: 'natural',
  input: Type.Object(What),
  output: Nothing,
})

/** The event by which all gateways hear of it. */
export const cachePurged = event({
  version: 1,
  key: 'by',
  summary: 'Somebody wants answers forgotten that gateways keep.',
  data: Type.Object({ by: Type.String(), ...What }),
})

/** Id of the event in the contract of a gateway; undefined when it has none. */
export function purgeTopic({ events }: Contract): string | undefined {
  return Object.hasOwn(events, 'cachePurged') ? events['cachePurged']?.id : undefined
}

/** Answers `purgeCache`. */
export function purgeHandler(
  contract: Contract,
  cache: ResponseCache,
  { eventLog, clock, newId }: Pick<ServiceRuntime, 'eventLog' | 'clock' | 'newId'>,
): (input: Purge, ctx: OperationContext) => Promise<Static<typeof Nothing>> {
  return async (input, { user, trace, requestId }) => {
    const type = purgeTopic(contract)
    if (eventLog === undefined || type === undefined) cache.purge(input)
    else {
      const source = contract.name
      const envelope = {
        id: newId(),
        type,
        version: cachePurged.version,
        source,
        time: isoTime(clock.now()),
        key: user.id,
        correlationId: requestId ?? trace.traceId,
        causationId: null,
        traceparent: trace.toString(),
        data: { by: user.id, ...input },
      }
      // Gateways are equals: none comes after another, so all have the same number.
      await eventLog.append(source, 0, [envelope])
    }
    return {}
  }
}
