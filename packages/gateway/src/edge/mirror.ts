/**
 * Requests made a second time, to a service whose answers nobody gets: does it give the same?
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { Cancellation } from '@flotilla/core/cancellation'
import type { CallContext } from '@flotilla/core/context'
import type { Counter, Family, Metrics } from '@flotilla/core/metrics'
import type { ServiceRuntime } from '@flotilla/core/service'
import type { Reply } from '@flotilla/core/wire'
import type { Route } from './route.ts'

/** Calls on their way that nobody waits for. */
const PENDING_MAX = 100
const TELL_EVERY_MS = 1_000
const VALUE_CHARS_MAX = 200

/** Makes them, and compares. */
export class Mirror {
  readonly #runtime: Pick<ServiceRuntime, 'clock' | 'log'>
  readonly #outcomes: Family<Counter>
  #pending = 0
  #toldMs = Number.NEGATIVE_INFINITY

  constructor(runtime: Pick<ServiceRuntime, 'clock' | 'log'>, metrics: Metrics) {
    this.#runtime = runtime
    this.#outcomes = metrics.counter('flotilla_gateway_mirrored_total', 'Requests made a second time.', [
      'operation',
      'outcome',
    ])
  }

  /** Calls `route`; what it returns takes the answer of who was asked in earnest, to compare. */
  call(route: Route, input: unknown, context: CallContext): (reply: Reply) => void {
    const { id } = route.operation
    if (this.#pending >= PENDING_MAX) {
      this.#outcomes.with(id, 'left out').add()
      return () => {}
    }
    this.#pending++
    let theirs: Reply | undefined
    let ours: Reply | undefined
    const compare = (): void => {
      if (theirs !== undefined && ours !== undefined) this.#compare(id, ours, theirs)
    }
    // Its own end: who hangs up does not stop it, and it never is in the way of others.
    const own = { ...context, cancellation: new Cancellation(), criticality: 'sheddable' as const }
    route.passOn.call(input, own, {}, (reply) => {
      this.#pending--
      theirs = reply
      compare()
    })
    return (reply) => {
      ours = reply
      compare()
    }
  }

  #compare(operation: string, ours: Reply, theirs: Reply): void {
    const [one, other] = [ours, theirs].map((reply) => reply.error?.code ?? reply.value)
    const isSame = isDeepStrictEqual(one, other)
    this.#outcomes.with(operation, isSame ? 'same' : 'different').add()
    const nowMs = this.#runtime.clock.monotonicMs()
    if (isSame || nowMs - this.#toldMs < TELL_EVERY_MS) return
    this.#toldMs = nowMs
    this.#runtime.log.warn('a mirrored request was answered differently', {
      operation,
      ...firstDifference('', one, other),
    })
  }
}

/** Where two values differ first, as a JSON pointer. */
function firstDifference(
  at: string,
  one: unknown,
  other: unknown,
): { at: string; ours: string; theirs: string } {
  if (isObject(one) && isObject(other) && Array.isArray(one) === Array.isArray(other)) {
    for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
      if (!isDeepStrictEqual(one[name], other[name]))
        return firstDifference(`${at}/${name}`, one[name], other[name])
    }
  }
  const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, VALUE_CHARS_MAX)
  return { at, ours: shown(one), theirs: shown(other) }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
