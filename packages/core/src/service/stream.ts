/**
 * Answering a stream: the same steps as for a call, each item validated.
 *
 * @module
 */
import type { CancelListener } from '../kernel/cancellation.ts'
import { asSeenUpstream, FlotillaError, isFlotillaError } from '../kernel/error.ts'
import { Timed, type TimerWheel } from '../kernel/timer-wheel.ts'
import type { CallRequest } from '../wire/wire.ts'
import { OperationScope } from './operation-scope.ts'
import type { ServedOperation } from './served.ts'

/** Stops a stream when its time is up or its reader is gone. */
class StreamEnd extends Timed implements CancelListener {
  readonly #scope: OperationScope

  constructor(scope: OperationScope) {
    super()
    this.#scope = scope
  }

  override expire(): void {
    this.#scope.stop(new FlotillaError('deadline_exceeded', 'The stream has lasted its time.'))
  }

  canceled(error: FlotillaError): void {
    this.#scope.stop(error)
  }
}

/**
 * Runs the handler and passes its items on. A stream takes no place in the concurrency bound: it is idle most of the
 * time, and connections bound how many there are.
 */
export async function* answerStream(
  served: ServedOperation,
  request: CallRequest,
  deadlineMs: number,
  wheel: TimerWheel,
): AsyncGenerator<unknown> {
  const { operation, handler, service } = served
  const { clock, random } = service.environment.ports
  const trace = request.trace.child(random)
  const scope = new OperationScope(served, request, deadlineMs, trace)
  const end = new StreamEnd(scope)
  request.cancellation.listen(end)
  let code: FlotillaError['code'] | 'ok' = 'ok'
  wheel.add(end, deadlineMs, request.startMs)
  try {
    for await (const item of handler(request.input, scope) as AsyncIterable<unknown>) {
      const issues = operation.checkOutput(item)
      if (issues !== undefined) {
        const what = JSON.stringify(issues)
        throw new FlotillaError('internal', `${operation.id} sent what its contract does not allow: ${what}`)
      }
      yield item
    }
    if (scope.isStopped) scope.cancellation.throwIfCanceled()
  } catch (error) {
    const failure = scope.cancellation.error ?? error
    // Not the error's own code: those of PostgreSQL and Node are called `code` too.
    code = asSeenUpstream(failure, operation.reasons).code
    const isOurs = !isFlotillaError(failure) || code === 'internal'
    if (isOurs) scope.log.error(`${operation.id} failed`, { error: failure })
    throw failure
  } finally {
    scope.stop(new FlotillaError('canceled', 'The reader left.'))
    wheel.remove(end)
    request.cancellation.unlisten(end)
    served.answered(code).add()
    service.spans.record(
      operation.id,
      'server',
      trace,
      request.trace,
      request.startMs,
      clock.monotonicMs() - request.startMs,
      code,
    )
  }
}
