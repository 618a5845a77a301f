/**
 * What a call passes going out, in this order (the mirror of `service/receive.ts`):
 *
 * 1. deadline: never later than that of the call it is made within
 * 2. authorisation and validation: what the callee would refuse (`contract/admission.ts`) is not sent
 * 3. gate (`gate.ts`): not too many at once, time enough, and the breaker of the operation
 * 4. retry, within a budget, with full jitter; outside the choice of instance, so that each attempt can go elsewhere
 * 5. choice of instance: least expected work of two; tried ones and unwell ones last
 * 6. hedge (`hedged-call.ts`): a query that takes unusually long goes to a second instance, too
 * 7. breaker of that instance: learns from every answer
 * 8. the wire
 *
 * A service in the same process is called directly: there the receiver does step 2, and steps 3 to 7 have nothing to choose.
 *
 * @module
 */
import type { CallOptions, Calls } from '../contract/calls.ts'
import type { Contract } from '../contract/contract.ts'
import type { Operation } from '../contract/operation.ts'
import type { Caller } from '../kernel/caller.ts'
import { type CallContext, lessCritical } from '../kernel/context.ts'
import type { TraceContext } from '../kernel/trace-context.ts'
import type { CallRequest, Reply, Settle } from '../wire/wire.ts'
import { Callee, type CalleeOptions, OutgoingOperation } from './outgoing.ts'
import { callRemote, openStream } from './remote.ts'

/** Makes calls for all services of a process. */
export class Client {
  readonly #options: CalleeOptions
  readonly #callees = new Map<string, Callee>()
  readonly #outgoing = new Map<Operation, OutgoingOperation>()
  readonly #facades = new Map<Contract, Facade>()

  constructor(options: CalleeOptions) {
    this.#options = options
  }

  /** The typed functions of `contract`, called by `service` within `context`. */
  calls<C extends Contract>(contract: C, context: CallContext, service: string | undefined): Calls<C> {
    let facade = this.#facades.get(contract)
    if (facade === undefined) {
      facade = facadeOf(this, contract)
      this.#facades.set(contract, facade)
    }
    // `facadeOf` made one method for each operation of `contract`, which is what `Calls` says in types.
    return new facade(context, service) as unknown as Calls<C>
  }

  /** An operation, ready to be called many times. */
  outgoing(operation: Operation): OutgoingOperation {
    let outgoing = this.#outgoing.get(operation)
    if (outgoing === undefined) {
      outgoing = new OutgoingOperation(operation, this.#callee(operation.service), this.#options)
      this.#outgoing.set(operation, outgoing)
    }
    return outgoing
  }

  /** Makes one call. `wantsJson`: the output will only be passed on. */
  call(
    outgoing: OutgoingOperation,
    input: unknown,
    context: CallContext,
    caller: Caller,
    options: CallOptions,
    wantsJson: boolean,
    settle: Settle,
  ): void {
    const request = this.#request(outgoing, input, context, caller, options, wantsJson)
    this.#send(outgoing, request, (reply) => {
      this.#ended(outgoing, request, context.trace, reply)
      settle(reply)
    })
  }

  /** As `call`, for somebody who waits for a promise: one closure instead of two. */
  ask(
    outgoing: OutgoingOperation,
    input: unknown,
    context: CallContext,
    caller: Caller,
    options: CallOptions,
  ): Promise<unknown> {
    const request = this.#request(outgoing, input, context, caller, options, false)
    return new Promise((resolve, reject) => {
      this.#send(outgoing, request, (reply) => {
        this.#ended(outgoing, request, context.trace, reply)
        if (reply.error === undefined) resolve(reply.output)
        else reject(reply.error)
      })
    })
  }

  #send(outgoing: OutgoingOperation, request: CallRequest, settle: Settle): void {
    const { local } = outgoing.callee
    if (local === undefined) callRemote(outgoing, request, this.#options, settle)
    else local.call(request, settle)
  }

  #ended(outgoing: OutgoingOperation, request: CallRequest, parent: TraceContext, reply: Reply): void {
    const { startMs, trace, operation, caller } = request
    const code = reply.error === undefined ? 'ok' : reply.error.code
    const durationMs = reply.endMs - startMs
    const service = caller.service ?? ''
    outgoing.ended(code, durationMs, service)
    const { spans } = this.#options
    const { attributes } = outgoing
    spans.record(service, operation.id, 'client', trace, parent, startMs, durationMs, code, attributes)
  }

  /** Opens a stream; once open it is not retried. It leaves one span, the callee's, which stands right below the caller's. */
  stream(
    outgoing: OutgoingOperation,
    input: unknown,
    context: CallContext,
    caller: Caller,
    options: CallOptions,
  ): AsyncIterable<unknown> {
    const { callee } = outgoing
    const call = this.#request(outgoing, input, context, caller, options, false)
    const request = { ...call, trace: context.trace }
    return callee.local === undefined
      ? openStream(outgoing, request, this.#options)
      : callee.local.stream(request)
  }

  /** Closes every channel, letting calls on their way end. */
  async close(): Promise<void> {
    await Promise.all([...this.#callees.values()].map((callee) => callee.targets.close()))
  }

  #callee(service: string): Callee {
    let callee = this.#callees.get(service)
    if (callee === undefined) {
      callee = new Callee(service, this.#options)
      this.#callees.set(service, callee)
    }
    return callee
  }

  /** Step 1, and what travels along. */
  #request(
    { operation, callee }: OutgoingOperation,
    input: unknown,
    context: CallContext,
    caller: Caller,
    options: CallOptions,
    wantsJson: boolean,
  ): CallRequest {
    const { clock, random } = this.#options.ports
    const startMs = clock.monotonicMs()
    return {
      operation,
      input,
      wantsJson,
      isLocal: callee.local !== undefined,
      startMs,
      caller,
      deadlineMs: Math.min(context.deadlineMs, startMs + (options.timeoutMs ?? operation.timeoutMs)),
      requestId: context.requestId,
      trace: context.trace.child(random),
      criticality: lessCritical(context.criticality, options.criticality ?? context.criticality),
      cancellation: context.cancellation,
      idempotencyKey: options.idempotencyKey,
    }
  }
}

type Facade = new (context: CallContext, service: string | undefined) => object

const noOptions: CallOptions = {}
const noInput = {}

/** A class with one method per operation: making the functions for a call then costs one small object. */
function facadeOf(client: Client, contract: Contract): Facade {
  class CallsOfContract {
    readonly context: CallContext
    readonly caller: Caller

    constructor(context: CallContext, service: string | undefined) {
      this.context = context
      this.caller = { user: context.caller.user, service, token: context.caller.token }
    }
  }
  // The class has no such methods yet: here they are added.
  const methods = CallsOfContract.prototype as unknown as Record<string, unknown>
  for (const [name, operation] of Object.entries(contract.operations as Record<string, Operation>)) {
    const outgoing = client.outgoing(operation)
    methods[name] =
      operation.kind === 'stream'
        ? function (this: CallsOfContract, input: unknown = noInput, options = noOptions) {
            return client.stream(outgoing, input, this.context, this.caller, options)
          }
        : function (this: CallsOfContract, input: unknown = noInput, options = noOptions) {
            return client.ask(outgoing, input, this.context, this.caller, options)
          }
  }
  return CallsOfContract
}
