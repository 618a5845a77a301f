/**
 * A contract as its callers see it: one function per operation.
 *
 * @module
 */
import type { Criticality } from '../kernel/context.ts'
import type { Contract } from './contract.ts'
import type { InputOf, Operation, OutputOf } from './operation.ts'

/** What may be said about one call. */
export interface CallOptions {
  /** Makes a command that takes a key safe to repeat. At most 255 characters. */
  readonly idempotencyKey?: string
  /** Waits at most so long; never longer than the deadline of the call it is made within. */
  readonly timeoutMs?: number
  /** May only be lower than that of the call it is made within. */
  readonly criticality?: Criticality
}

type Answer<O> = O extends { readonly kind: 'stream' } ? AsyncIterable<OutputOf<O>> : Promise<OutputOf<O>>

/** An operation as a function; its input may be left out where `{}` will do. */
export type CallFunction<O extends Operation> =
  Record<never, never> extends InputOf<O>
    ? (input?: InputOf<O>, options?: CallOptions) => Answer<O>
    : (input: InputOf<O>, options?: CallOptions) => Answer<O>

/** The functions of a contract: methods, to be called on the object (`ctx.call(stock).read()`) and not taken off it. */
export type Calls<C extends Contract> = {
  readonly [K in keyof C['operations']]: CallFunction<C['operations'][K]>
}
