/**
 * Calls inside one process: a function call to the receiver.
 *
 * Nothing may depend on caller and callee sharing memory, or moving the callee to another process would change
 * what the program does. `isolation` enforces that where mistakes are made: 'clone' sends every value through
 * JSON, as a socket would; 'freeze' makes a write to a shared value throw. 'none' trusts the tests.
 *
 * @module
 */
import { type CallRequest, type Channel, type Receiver, Reply, type Settle } from './wire.ts'

/** How values are kept apart. */
export type Isolation = 'none' | 'freeze' | 'clone'

/** A channel to a receiver in this process. */
export function directChannel(receiver: Receiver, isolation: Isolation): Channel {
  return { isOpen: true, call: isolation === 'none' ? shared : isolated, stream, close: async () => {} }

  function shared(request: CallRequest, settle: Settle): void {
    receiver.call(request, settle)
  }

  function isolated(request: CallRequest, settle: Settle): void {
    receiver.call({ ...request, input: apart(request.input, isolation) }, (reply) =>
      settle(
        reply.error === undefined
          ? new Reply(apart(reply.output, isolation), undefined, undefined, reply.endMs, reply.isReplayed)
          : reply,
      ),
    )
  }

  async function* stream(request: CallRequest): AsyncIterable<unknown> {
    const input = apart(request.input, isolation)
    for await (const item of receiver.stream({ ...request, input })) yield apart(item, isolation)
  }
}

function apart(value: unknown, isolation: Isolation): unknown {
  if (isolation === 'none' || value === undefined) return value
  return isolation === 'freeze' ? deepFreeze(value) : JSON.parse(JSON.stringify(value))
}

function deepFreeze(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}
