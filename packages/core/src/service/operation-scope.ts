/**
 * The context of one call: `CallScope`, and what only an operation has.
 *
 * @module
 */
import type { Reason } from '../contract/operation.ts'
import { crashpoint } from '../kernel/crashpoint.ts'
import { type ErrorOptions, FlotillaError } from '../kernel/error.ts'
import type { TraceContext } from '../kernel/trace-context.ts'
import type { Transaction, TransactionOptions } from '../store/transaction.ts'
import type { CallRequest } from '../wire/wire.ts'
import { CallScope } from './call-scope.ts'
import type { Claim, KeyedContext } from './idempotency.ts'
import type { ServedOperation } from './served.ts'

/** A context that can refuse with a reason and commit. */
export class OperationScope extends CallScope implements KeyedContext {
  /** Set while the call runs under an idempotency key. */
  claim: Claim | undefined
  /** True when the answer is a stored one. */
  isReplayed = false
  readonly #served: ServedOperation
  #hasCommit = false
  #committed: { readonly output: unknown } | undefined

  constructor(served: ServedOperation, request: CallRequest, deadlineMs: number, trace: TraceContext) {
    super(
      served.service.environment,
      request.caller,
      deadlineMs,
      trace,
      request.criticality,
      request.requestId,
      request.idempotencyKey,
    )
    this.#served = served
  }

  fail(
    name: string,
    detail?: string,
    options: Pick<ErrorOptions, 'data' | 'retryAfterMs'> = {},
  ): FlotillaError {
    const { code, status, title } = this.#served.operation.reasons[name] as Reason
    return new FlotillaError(code, detail ?? `${title}.`, { ...options, reason: name, status })
  }

  async commit<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    if (this.#hasCommit) throw new FlotillaError('internal', 'A call can commit once.')
    // From the beginning, not the end: two at the same time are two.
    this.#hasCommit = true
    const { claim } = this
    let output: T
    try {
      output = await this.db.transaction(async (tx) => {
        const answer = await work(tx)
        // Checked before the commit: a wrong answer must not leave an effect, and must not be remembered.
        const wrong = this.mistakeIn(answer)
        if (wrong !== undefined) throw wrong
        await claim?.complete(tx, { output: answer })
        crashpoint('command.before-commit', this.#served.operation.id)
        return answer
      }, options)
    } catch (error) {
      this.#hasCommit = false
      throw error
    }
    if (claim !== undefined) claim.isDone = true
    crashpoint('command.after-commit', this.#served.operation.id)
    this.#committed = { output }
    return output
  }

  /** What is wrong with an output: a programming error, told to the log and to nobody else. */
  mistakeIn(output: unknown): Error | undefined {
    const { operation } = this.#served
    const issues = operation.checkOutput(output)
    if (issues !== undefined) return brokenContract(operation.id, JSON.stringify(issues))
    if (this.#committed === undefined || this.#committed.output === output) return undefined
    return brokenContract(operation.id, 'its answer is not the value that commit returned')
  }
}

function brokenContract(operation: string, what: string): Error {
  return new FlotillaError('internal', `${operation} answered what its contract does not allow: ${what}`)
}
