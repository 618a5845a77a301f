/**
 * A request answered by a method of a gRPC server: JSON becomes its message, and its messages become JSON, one as the body and many as
 * server-sent events.
 *
 * @module
 */
import type { Cancellation } from '@flotilla/core/cancellation'
import { FlotillaError, isFlotillaError } from '@flotilla/core/error'
import { type GrpcCall, MESSAGE_BYTES_MAX } from '../grpc/grpc-upstream.ts'
import { isServerFault } from '../grpc/status.ts'
import type { Turn } from '../http/turn.ts'
import type { RequestHead } from '../match/request-head.ts'
import type { RoutePolicy } from '../policy/gateway-policies.ts'
import { transform } from '../policy/transform.ts'
import { type Answer, privateAnswer } from './answer.ts'
import { readJsonBody } from './body.ts'
import type { GrpcPlan } from './edge-policies.ts'
import type { Edge } from './equipment.ts'
import { aboutClient } from './relay.ts'
import type { RequestRecord } from './request-record.ts'
import { sendStream } from './send-stream.ts'

/** What is known of the request. */
export interface AskGrpcOptions {
  readonly turn: Turn
  readonly head: RequestHead
  readonly policy: RoutePolicy
  readonly plan: GrpcPlan
  readonly record: RequestRecord
  readonly cancellation: Cancellation
  /** The headers of the answer, with its own: names and values in turn. */
  readonly headersWith: (own: readonly string[]) => readonly string[]
  /** Takes the answer, unless it is a stream. */
  readonly onEnd: (answer: Answer) => void
  /** There is none. */
  readonly onFail: (error: unknown) => void
}

/** Asks, and answers. */
export function askGrpc(edge: Edge, options: AskGrpcOptions): void {
  const { plan, policy, turn, record, cancellation, headersWith, onEnd } = options
  const { method, binding } = plan.route
  const onFail = (error: unknown): void => {
    tell(edge, options, error)
    options.onFail(error)
  }
  const jsonOf = (bytes: Uint8Array): unknown => {
    const json = binding.output(bytes)
    return policy.response === undefined ? json : transform(policy.response, json, record)
  }
  void callOf(options)
    .then(async (call) => {
      if (!method.givesStream) {
        const json = jsonOf(await plan.upstream.call(call))
        return onEnd(privateAnswer(200, 'application/json', JSON.stringify(json)))
      }
      const items = mapped(plan.upstream.stream(call), jsonOf)
      sendStream(edge, items, { turn, record, cancellation, headersWith, onFail })
    })
    .catch(onFail)
}

async function callOf({ turn, head, policy, plan, record, cancellation }: AskGrpcOptions): Promise<GrpcCall> {
  const { route, timeoutMs } = plan
  if (head.isWebSocket)
    throw new FlotillaError('unimplemented', 'There is no WebSocket here.', { status: 501, executed: 'no' })
  if (head.hasBody && !route.binding.takesBody) throw refuse('There is no body here.')
  const body = await readJsonBody(turn, head, policy.request, record, MESSAGE_BYTES_MAX)
  const message = route.binding.input(head.path, head.search, body)
  // Numbers may be longer there than in JSON.
  if (message.length > MESSAGE_BYTES_MAX) throw refuse(`A message may have ${MESSAGE_BYTES_MAX} bytes.`, 413)
  // How long a stream goes on is nobody's business, unless the operator says so of this route.
  const itsMs = route.method.givesStream ? policy.timeoutMs : timeoutMs
  return {
    method: route.method.name,
    message,
    metadata: aboutClient(turn, head.host, record),
    deadlineMs: itsMs === undefined ? undefined : record.startMs + itsMs,
    isSafe: turn.method === 'GET' || turn.method === 'HEAD',
    cancellation,
  }
}

async function* mapped<T, U>(items: AsyncIterable<T>, map: (item: T) => U): AsyncGenerator<U> {
  for await (const item of items) yield map(item)
}

/** What a server says of itself is for the log only. */
function tell({ runtime }: Edge, { plan, record }: AskGrpcOptions, error: unknown): void {
  if (!isFlotillaError(error) || !error.isRemote || !isServerFault(error)) return
  const { method } = plan.route
  const about = { upstream: record.upstream, method: method.name, trace_id: record.trace.traceId }
  runtime.log.warn('a gRPC server failed', { ...about, code: error.code, said: error.cause })
}

function refuse(message: string, status?: number): FlotillaError {
  return new FlotillaError('invalid_argument', message, { status, executed: 'no' })
}
