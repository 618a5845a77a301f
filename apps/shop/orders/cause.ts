/**
 * Who changes an order, and what makes it happen: for its history.
 *
 * @module
 */
import { actorOf } from '@flotilla/core/aggregate'
import type { Origin } from '@flotilla/core/aggregate-events'
import type { Context } from '@flotilla/core/service'

/** A request of somebody. */
export function byRequest({ caller, trace, requestId }: Context): Origin {
  return { actor: actorOf(caller), cause: `request ${requestId ?? trace.traceId}` }
}

/** A step of a saga. */
export function bySaga(sagaId: string): Origin {
  return { actor: { kind: 'service', id: 'orders' }, cause: `saga ${sagaId}` }
}

/** An event of another service. */
export function byEvent({ source, id }: { readonly source: string; readonly id: string }): Origin {
  return { actor: { kind: 'service', id: source }, cause: `event ${id}` }
}
