/**
 * Takes telemetry by OTLP/HTTP, from our own processes and from any other program in any language: spans, log lines, metrics.
 *
 * Who sends must know the key: what comes is shown to people, who believe it.
 *
 * @source https://opentelemetry.io/docs/specs/otlp/#otlphttp
 * @module
 */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { FlotillaError } from '@flotilla/core/error'
import type { Page } from '@flotilla/core/http-server'
import { OTLP_BYTES_MAX, type OtlpBody, writeOtlpAnswer } from '../telemetry/otlp-body.ts'
import { readOtlpLogs } from '../telemetry/otlp-logs.ts'
import { readOtlpMetrics } from '../telemetry/otlp-metrics.ts'
import { readOtlpTraces } from '../telemetry/otlp-traces.ts'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'

type Kind = 'traces' | 'logs' | 'metrics'

const PATHS: ReadonlyMap<string, Kind> = new Map([
  ['/v1/traces', 'traces'],
  ['/v1/logs', 'logs'],
  ['/v1/metrics', 'metrics'],
])
/** The header that Aspire's dashboard wants; `authorization: Bearer` is taken as well. */
const KEY_HEADER = 'x-otlp-api-key'
/** Bodies being read at a time: each may hold some megabytes. */
const READING_MAX = 8

/** Answers requests of OTLP; undefined for every other path. */
export function otlpReceiver(
  store: TelemetryStore,
  key: string,
): (path: string, incoming: IncomingMessage) => Promise<Page> | undefined {
  let reading = 0
  const take = async (kind: Kind, incoming: IncomingMessage): Promise<Page> => {
    if (incoming.method !== 'POST') throw refusal('unimplemented', 'This path takes POST.', 405)
    if (!knows(incoming, key)) throw refusal('unauthenticated', `Send the key as ${KEY_HEADER}.`, 401)
    if (reading >= READING_MAX)
      throw refusal('resource_exhausted', 'Too much telemetry at a time; send it again.', 429)
    reading++
    try {
      const { 'content-type': contentType, 'content-encoding': contentEncoding } = incoming.headers
      const body = { bytes: await bytesOf(incoming), contentType, contentEncoding }
      const rejected = await put(store, kind, body)
      const message = rejected === 0 ? '' : `${rejected} had no ids or no time`
      const answer = await writeOtlpAnswer(kind, contentType, rejected, message)
      return { status: 200, contentType: answer.contentType, body: answer.bytes }
    } finally {
      reading--
    }
  }
  return (path, incoming) => {
    const kind = PATHS.get(path)
    return kind === undefined ? undefined : take(kind, incoming)
  }
}

/** How many could not be taken. */
async function put(store: TelemetryStore, kind: Kind, body: OtlpBody): Promise<number> {
  if (kind === 'traces') {
    const { rows, rejected } = await readOtlpTraces(body)
    store.appendSpans(rows)
    return rejected
  }
  if (kind === 'logs') {
    const { rows, rejected } = await readOtlpLogs(body)
    store.appendLogs(rows)
    return rejected
  }
  const { rows, rejected } = await readOtlpMetrics(body)
  store.appendSamples(rows)
  return rejected
}

function knows({ headers }: IncomingMessage, key: string): boolean {
  const given = headers[KEY_HEADER] ?? headers.authorization?.replace(/^Bearer /i, '')
  const [its, expected] = [Buffer.from(typeof given === 'string' ? given : ''), Buffer.from(key)]
  return its.length === expected.length && timingSafeEqual(its, expected)
}

async function bytesOf(incoming: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of incoming as AsyncIterable<Buffer>) {
    length += part.length
    if (length > OTLP_BYTES_MAX)
      throw refusal('resource_exhausted', `A body may have ${OTLP_BYTES_MAX} bytes.`, 413)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function refusal(
  code: 'unimplemented' | 'unauthenticated' | 'resource_exhausted',
  message: string,
  status: number,
): FlotillaError {
  return new FlotillaError(code, message, { executed: 'no', status })
}
