/**
 * Which work is going on in the code that runs right now, for those who are not told: user code behind `@opentelemetry/api`.
 *
 * Everything of ours passes its context on by hand. To know it without that takes an `AsyncLocalStorage`, and on Node 20 the first use of
 * one makes every promise of the process dearer, by some 0.15 µs. So it is not used before somebody has asked for a tracer or the like; until then only
 * the part of a handler before its first `await` is known, which costs two writes.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Ports } from '../kernel/context.ts'
import type { TraceContext } from '../kernel/trace-context.ts'
import type { Metrics } from './metrics.ts'
import type { SpanRecorder } from './spans.ts'

/** Where the signals of one service of a host go. */
export interface Signals {
  readonly service: string
  readonly spans: SpanRecorder
  readonly metrics: Metrics
  readonly ports: Pick<Ports, 'clock' | 'random'>
}

/** One call, reaction, step or turn. */
export interface Work {
  /** Its span. */
  readonly trace: TraceContext
  readonly signals: Signals
}

/** What can be active: work, or something that was entered within it. */
export interface Active {
  /** Undefined: it was entered outside any. */
  readonly work: Work | undefined
}

let storage: AsyncLocalStorage<Active | Work> | undefined
let current: Work | undefined

/** Runs `action` as a part of `work`. */
export function runIn<A, B, T>(work: Work, action: (a: A, b: B) => T, a: A, b: B): T {
  if (storage !== undefined) return storage.run(work, action, a, b)
  const before = current
  current = work
  try {
    return action(a, b)
  } finally {
    current = before
  }
}

/** Runs `action` within something that was entered; what follows from it knows that, too. */
export function runWithin<T>(active: Active, action: () => T): T {
  followWork()
  return (storage as AsyncLocalStorage<Active | Work>).run(active, action)
}

/** What is going on here; undefined when it is not known. */
export function activeHere(): Active | Work | undefined {
  return storage?.getStore() ?? current
}

/** From now on, what is active is known behind every `await`. */
export function followWork(): void {
  storage ??= new AsyncLocalStorage()
}
