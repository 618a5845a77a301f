/**
 * The context of one reaction, and finding the reactions of an event.
 *
 * @module
 */
import type { Envelope } from '../events/envelope.ts'
import type { TraceContext } from '../kernel/trace-context.ts'
import type { Transaction } from '../store/transaction.ts'
import { runIn } from '../telemetry/active-work.ts'
import { CallScope, type ScopeEnvironment } from './call-scope.ts'
import type { Reaction, ReactionContext } from './definition.ts'

/** `CallScope` within the transaction that remembers the event. */
export class ReactionScope extends CallScope implements ReactionContext {
  readonly tx: Transaction
  readonly #causationId: string

  constructor(
    environment: ScopeEnvironment,
    event: Envelope,
    tx: Transaction,
    deadlineMs: number,
    trace: TraceContext,
  ) {
    const caller = { service: environment.service }
    super(environment, caller, deadlineMs, trace, 'sheddable_plus', event.correlationId, undefined)
    this.tx = tx
    this.#causationId = event.id
  }

  protected override get causationId(): string {
    return this.#causationId
  }
}

/** Runs the reactions that `event` concerns, one after the other. */
export async function react(
  reactions: readonly Reaction[],
  event: Envelope,
  scope: ReactionScope,
): Promise<void> {
  for (const { topic, type, handle } of reactions) {
    if (topic !== event.type && topic !== `${event.source}.*` && topic !== '*') continue
    const data = type === undefined ? event.data : type.read(event.version, event.data)
    await runIn(scope, handle, { ...event, data }, scope)
  }
}
