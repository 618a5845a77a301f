/**
 * One sending of a call to one instance, and what is learned from how it ended: steps 7 and 8 of `client.ts`.
 *
 * @module
 */
import type { FlotillaError } from '../kernel/error.ts'
import type { CallRequest, Channel, Reply, Settle } from '../wire/wire.ts'
import type { OutgoingOperation } from './outgoing.ts'
import { isInstanceFailure, type Target } from './target.ts'

/** An instance, connected. */
export interface Connected {
  readonly target: Target
  readonly channel: Channel
}

/** One of several sendings of the same call. */
export interface Leg {
  /** True once the answer of a later one was taken: then this one was too slow. */
  readonly isLost: boolean
}

/** Sends; `settle` hears when everything was learned. `leg` is absent for a call that is sent once. */
export function sendTo(
  outgoing: OutgoingOperation,
  { target, channel }: Connected,
  request: CallRequest,
  sentMs: number,
  settle: Settle,
  leg?: Leg,
): void {
  target.ewma.begin()
  target.breaker.begin(sentMs)
  channel.call(request, (reply) => {
    const tookMs = reply.endMs - sentMs
    if (leg?.isLost) lost(outgoing, target, request, reply.endMs, tookMs)
    else learn(outgoing, target, request, reply, tookMs)
    settle(reply)
  })
}

function learn(
  outgoing: OutgoingOperation,
  target: Target,
  request: CallRequest,
  { error, endMs }: Reply,
  tookMs: number,
): void {
  const hasFailed = error !== undefined && isFailure(outgoing, error, tookMs, endMs)
  // Who has too much to do is as slow as it asks us to wait, and others get more of the calls.
  const busyMs = error?.isOverloaded ? (error.retryAfterMs ?? 0) : 0
  target.ewma.end(endMs, tookMs + busyMs, hasFailed)
  if (error === undefined) {
    outgoing.answered(tookMs, endMs)
    target.succeed(endMs)
  } else if (hasFailed) {
    failed(outgoing, target, request, endMs)
    if (!error.isRemote) outgoing.callee.directory.report(target.instance)
  } else if (tellsNothing(error)) target.breaker.abandon(endMs)
  else target.succeed(endMs)
}

/** Another instance, asked later, was sooner: how long this one would have taken is not known, but longer than this. */
function lost(
  outgoing: OutgoingOperation,
  target: Target,
  request: CallRequest,
  endMs: number,
  tookMs: number,
): void {
  outgoing.answered(tookMs, endMs)
  target.ewma.end(endMs, tookMs, false)
  failed(outgoing, target, request, endMs)
}

function failed(outgoing: OutgoingOperation, target: Target, request: CallRequest, endMs: number): void {
  const wasOpen = target.breaker.kind === 'open'
  target.breaker.fail(endMs)
  if (target.breaker.kind === 'open' && !wasOpen) outgoing.decided('instance_ejected', request, endMs)
}

function isFailure(
  { gate }: OutgoingOperation,
  error: FlotillaError,
  tookMs: number,
  endMs: number,
): boolean {
  // Of somebody who was given a millisecond nothing can be said.
  const isHasty = error.code === 'deadline_exceeded' && tookMs < gate.fairMs(endMs)
  return !isHasty && isInstanceFailure(error)
}

function tellsNothing({ code, isOverloaded }: FlotillaError): boolean {
  return isOverloaded || code === 'canceled' || code === 'deadline_exceeded'
}
