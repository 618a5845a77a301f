/**
 * Bodies of OTLP/HTTP, in and out: JSON or Protocol Buffers, plain or compressed, bounded.
 *
 * @source https://opentelemetry.io/docs/specs/otlp/#otlphttp
 * @module
 */
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { FlotillaError } from '@flotilla/core/error'
import { parseUntrustedJson } from '@flotilla/core/json'
import { type OtlpKind, otlpShapes, requestShapes } from './otlp-shapes.ts'
import { readMessage } from './protobuf-message.ts'

/** What a client sent. */
export interface OtlpBody {
  readonly bytes: Uint8Array
  /** The header. JSON and Protocol Buffers are read. */
  readonly contentType: string | undefined
  /** The header; `gzip` or absent. */
  readonly contentEncoding?: string | undefined
}

/** The largest body, compressed or not. Clients send about 500 spans or lines at a time, which are 0.5 MB at most. */
export const OTLP_BYTES_MAX = 4 * 1024 * 1024

const JSON_TYPE = 'application/json'
const PROTOBUF_TYPE = 'application/x-protobuf'
const REJECTED = {
  traces: 'rejectedSpans',
  logs: 'rejectedLogRecords',
  metrics: 'rejectedDataPoints',
} as const
const unzip = promisify(gunzip)

/**
 * The request in it, in the form of OTLP's JSON; nothing of what is inside has been checked.
 *
 * @throws FlotillaError `invalid_argument` (415 for another type or encoding), `resource_exhausted` (413) when it is too long.
 */
export async function readOtlpRequest(kind: OtlpKind, body: OtlpBody): Promise<unknown> {
  const type = typeOf(body.contentType)
  const bytes = await plainBytes(body)
  if (type === JSON_TYPE) return parseUntrustedJson(Buffer.from(bytes).toString('utf8'))
  const { default: protobuf } = await import('protobufjs')
  return readMessage(protobuf.Reader.create(bytes), otlpShapes, requestShapes[kind])
}

/** What to answer with 200, in the type that was asked in: how many rows were not taken, if any. */
export async function writeOtlpAnswer(
  kind: OtlpKind,
  contentType: string | undefined,
  rejected: number,
  message: string,
): Promise<{ readonly contentType: string; readonly bytes: Uint8Array }> {
  const type = typeOf(contentType)
  if (type === JSON_TYPE) {
    const partialSuccess = { [REJECTED[kind]]: String(rejected), errorMessage: message }
    return { contentType: type, bytes: Buffer.from(JSON.stringify(rejected === 0 ? {} : { partialSuccess })) }
  }
  const { default: protobuf } = await import('protobufjs')
  const writer = protobuf.Writer.create()
  // partial_success = 1 { rejected = 1, error_message = 2 }
  if (rejected > 0)
    writer.uint32(0x0a).fork().uint32(0x08).int64(rejected).uint32(0x12).string(message).ldelim()
  return { contentType: type, bytes: writer.finish() }
}

function typeOf(contentType: string | undefined): string {
  const type = contentType?.split(';')[0]?.trim().toLowerCase()
  if (type === JSON_TYPE || type === PROTOBUF_TYPE) return type
  throw unsupported(`The content type must be ${JSON_TYPE} or ${PROTOBUF_TYPE}.`)
}

async function plainBytes({ bytes, contentEncoding = 'identity' }: OtlpBody): Promise<Uint8Array> {
  if (bytes.length > OTLP_BYTES_MAX) throw tooLong()
  if (contentEncoding === 'identity') return bytes
  if (contentEncoding !== 'gzip') throw unsupported('The content encoding must be gzip or none.')
  try {
    return await unzip(bytes, { maxOutputLength: OTLP_BYTES_MAX })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLong()
    throw new FlotillaError('invalid_argument', 'The body is not compressed by gzip.', {
      executed: 'no',
      cause,
    })
  }
}

function unsupported(message: string): FlotillaError {
  return new FlotillaError('invalid_argument', message, { executed: 'no', status: 415 })
}

function tooLong(): FlotillaError {
  return new FlotillaError('resource_exhausted', `A body may have ${OTLP_BYTES_MAX} bytes.`, {
    executed: 'no',
    status: 413,
    isExhausted: true,
  })
}
