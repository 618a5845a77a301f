/**
 * The head of a CALL frame: a request without its body, written and read.
 *
 * @module
 */
import type { Operation } from '../../contract/operation.ts'
import type { Caller } from '../../kernel/caller.ts'
import type { Cancellation } from '../../kernel/cancellation.ts'
import { criticalities } from '../../kernel/context.ts'
import { TraceContext } from '../../kernel/trace-context.ts'
import type { CallRequest } from '../wire.ts'
import {
  CALL_HEAD_BYTES,
  callFlags,
  decodeHeaders,
  encodeHeaders,
  hasFlag,
  kinds,
  NO_CALLER,
  NO_DEADLINE,
  protocolError,
} from './format.ts'
import { type FrameWriter, readUint32, writeUint32 } from './frame-writer.ts'

/** What a request is called on one connection. */
export interface CallNumbers {
  readonly call: number
  /** Index in the WELCOME's operations. */
  readonly operation: number
  /** From a PRINCIPAL frame; 0: no user. */
  readonly principal: number
  /** Index in the HELLO's callers; negative: no service. */
  readonly caller: number
  /** Milliseconds left; may be Infinity. */
  readonly leftMs: number
  /** Streams: items that may be sent before more credit comes. Undefined: not a stream. */
  readonly credit: number | undefined
}

/** Begins a CALL; the body comes next. Returns where the frame starts. */
export function beginCall(writer: FrameWriter, request: CallRequest, numbers: CallNumbers): number {
  const { trace, requestId, idempotencyKey } = request
  const headers = requestId === undefined && idempotencyKey === undefined ? undefined : encodeHeaders(request)
  const headerBytes = headers === undefined ? 0 : headers.length
  const start = writer.begin(kinds.call, CALL_HEAD_BYTES)
  const { buffer } = writer
  const { operation, credit, leftMs } = numbers
  buffer[start + 5] =
    (trace.isSampled ? callFlags.isSampled : 0) |
    (credit === undefined ? 0 : callFlags.isStream) |
    (request.wantsJson ? callFlags.wantsJson : 0)
  buffer[start + 6] = operation >>> 8
  buffer[start + 7] = operation
  writeUint32(buffer, start + 8, numbers.call)
  writeUint32(buffer, start + 12, leftMs >= NO_DEADLINE ? NO_DEADLINE : Math.ceil(leftMs))
  writeUint32(buffer, start + 16, numbers.principal)
  buffer[start + 20] = numbers.caller < 0 ? NO_CALLER : numbers.caller
  buffer[start + 21] = criticalities.indexOf(request.criticality)
  buffer[start + 22] = headerBytes >>> 8
  buffer[start + 23] = headerBytes
  writeUint32(buffer, start + 24, trace.trace0)
  writeUint32(buffer, start + 28, trace.trace1)
  writeUint32(buffer, start + 32, trace.trace2)
  writeUint32(buffer, start + 36, trace.trace3)
  writeUint32(buffer, start + 40, trace.span0)
  writeUint32(buffer, start + 44, trace.span1)
  writeUint32(buffer, start + 48, credit ?? 0)
  if (headers !== undefined) writer.append(headers)
  return start
}

/**
 * Where the body of a CALL begins.
 *
 * @throws FlotillaError when it is shorter than its head.
 */
export function callBodyStart(frame: Buffer): number {
  if (frame.length < CALL_HEAD_BYTES) throw protocolError('a CALL without a head')
  const start = CALL_HEAD_BYTES + (frame[22] as number) * 256 + (frame[23] as number)
  if (start > frame.length) throw protocolError('headers that run over their end')
  return start
}

/** The numbers of a CALL, as the receiving side sees them. */
export function readCallNumbers(frame: Buffer): CallNumbers {
  const isStream = hasFlag(frame, callFlags.isStream)
  return {
    call: readUint32(frame, 8),
    operation: (frame[6] as number) * 256 + (frame[7] as number),
    principal: readUint32(frame, 16),
    caller: frame[20] === NO_CALLER ? -1 : (frame[20] as number),
    leftMs: readLeftMs(frame),
    credit: isStream ? readUint32(frame, 48) : undefined,
  }
}

function readLeftMs(frame: Buffer): number {
  const leftMs = readUint32(frame, 12)
  return leftMs === NO_DEADLINE ? Number.POSITIVE_INFINITY : leftMs
}

/** Puts the request together again; `startMs` is when it arrived. */
export function readCall(
  frame: Buffer,
  operation: Operation,
  input: unknown,
  caller: Caller,
  startMs: number,
  cancellation: Cancellation,
): CallRequest {
  const bodyStart = callBodyStart(frame)
  const headers = bodyStart === CALL_HEAD_BYTES ? undefined : decodeHeaders(frame, CALL_HEAD_BYTES, bodyStart)
  return {
    operation,
    input,
    wantsJson: hasFlag(frame, callFlags.wantsJson),
    caller,
    startMs,
    deadlineMs: startMs + readLeftMs(frame),
    requestId: headers?.requestId,
    trace: new TraceContext(
      readUint32(frame, 24),
      readUint32(frame, 28),
      readUint32(frame, 32),
      readUint32(frame, 36),
      readUint32(frame, 40),
      readUint32(frame, 44),
      hasFlag(frame, callFlags.isSampled),
    ),
    criticality: criticalities[frame[21] as number] ?? 'critical',
    cancellation,
    idempotencyKey: headers?.idempotencyKey,
  }
}
