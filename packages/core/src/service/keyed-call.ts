/**
 * A call that runs under an idempotency key.
 *
 * @module
 */
import type { Operation } from '../contract/operation.ts'
import { codes } from '../kernel/code.ts'
import { asSeenUpstream, FlotillaError } from '../kernel/error.ts'
import type { AnyHandler } from './definition.ts'
import { Claim, type IdempotencyStore } from './idempotency.ts'
import type { OperationScope } from './operation-scope.ts'

/** Codes that say nothing about a repeat: who asks, and how busy we are, may be different then. */
const PASSING = new Set(['unauthenticated', 'permission_denied', 'internal', 'unknown', 'canceled'])

/**
 * Runs `handler` so that a repeat with the same key gets the same answer.
 *
 * @throws FlotillaError what the handler throws, a stored failure, or what `begin` throws.
 */
export async function runUnderKey(
  keys: IdempotencyStore,
  operation: Operation,
  input: unknown,
  scope: OperationScope,
  handler: AnyHandler,
): Promise<unknown> {
  const begun = await keys.begin(operation.id, input, scope)
  if (!(begun instanceof Claim)) {
    scope.isReplayed = true
    if ('error' in begun) throw FlotillaError.fromBody(begun.error)
    return begun.output
  }
  scope.claim = begun
  try {
    const output = await handler(input, scope)
    const wrong = scope.mistakeIn(output)
    if (wrong !== undefined) throw wrong
    if (!begun.isDone) await begun.complete(scope.db, { output })
    return output
  } catch (error) {
    if (!begun.isDone) await remember(begun, asSeenUpstream(error, operation.reasons), scope)
    throw error
  }
}

/** Stores a lasting failure, or gives the key free for a repeat. If neither works, the lease will end. */
async function remember(claim: Claim, error: FlotillaError, scope: OperationScope): Promise<void> {
  const isLasting = !codes[error.code].isTransient && !PASSING.has(error.code)
  try {
    if (isLasting) await claim.complete(scope.db, { error: error.toBody() })
    else await claim.release(scope.db)
  } catch (caught) {
    scope.log.warn('the outcome of a keyed command could not be stored', { error: caught })
  }
}
