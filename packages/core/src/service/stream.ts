/**
 * Answering a stream: the same steps as for a call, each item validated.
 *
 * @module
 */
import type { CancelListener } from '../kernel/cancellation.ts'
import { asSeenUpstream, FlotillaError, isFlotillaError } from '../kernel/error.ts'
import { Timed, type TimerWheel } from '../kernel/timer-wheel.ts'
import { runIn } from '../telemetry/active-work.ts'
import type { CallRequest } from '../wire/wire.ts'
import { OperationScope } from './operation-scope.ts'
import type { ServedOperation } from './served.ts'

/** Stops a stream when its time is up or its reader is gone, whether or not its handler heeds the signal. */
class StreamEnd extends Timed implements CancelListener {
  readonly #scope: OperationScope
  /** Gives up what is waited for now. */
  #giveUp: ((error: FlotillaError) => void) | undefined

  constructor(scope: OperationScope) {
    super()
    this.#scope = scope
  }

  override expire(): void {
    this.canceled(new FlotillaError('deadline_exceeded', 'The stream has lasted its time.'))
  }

  canceled(error: FlotillaError): void {
    this.#scope.stop(error)
    this.#giveUp?.(error)
  }

  /** What becomes of `step` of the handler; rejects at once when the stream is stopped, or already was. */
  until<T>(step: Promise<T>): Promise<T> {
    // One promise for each step: a race against one that lasts as long as the stream would keep them all.
    return new Promise((resolve, reject) => {
      this.#giveUp = reject
      step.then(resolve, reject)
      const { error } = this.#scope.isStopped ? this.#scope.cancellation : {}
      if (error !== undefined) reject(error)
    })
  }
}

/**
 * Runs the handler and passes its items on. A stream takes no place of its operation's admission: it is idle most of the
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
  let items: AsyncIterator<unknown> | undefined
  wheel.add(end, deadlineMs, request.startMs)
  try {
    const opened = runIn(scope, handler, request.input, scope) as AsyncIterable<unknown>
    items = opened[Symbol.asyncIterator]()
    const next = (from: AsyncIterator<unknown>): Promise<IteratorResult<unknown>> => from.next()
    for (;;) {
      const { done, value: item } = await end.until(runIn(scope, next, items, undefined))
      if (done) break
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
    const ended = Promise.resolve(items?.return?.()).catch((error: unknown) =>
      scope.log.warn(`${operation.id} did not end well`, { error }),
    )
    await end.until(ended).catch(() => {
      // Stopped: a handler that does not heed the signal ends when it likes.
    })
    scope.stop(new FlotillaError('canceled', 'The reader left.'))
    wheel.remove(end)
    request.cancellation.unlisten(end)
    served.answered(code).add()
    service.environment.spans.record(
      operation.id,
      'server',
      trace,
      request.trace,
      request.startMs,
      clock.monotonicMs() - request.startMs,
      code,
      served.attributes,
    )
  }
}
