/**
 * Log lines from OTLP.
 *
 * @source https://github.com/open-telemetry/opentelemetry-proto/blob/v1.5.0/opentelemetry/proto/logs/v1/logs.proto
 * @module
 */
import { type OtlpBody, readOtlpRequest } from './otlp-body.ts'
import {
  anyValueOf,
  attributesOf,
  idOf,
  listOf,
  microsOf,
  numberOf,
  type OtlpRows,
  objectOf,
  sourceOf,
  textOf,
} from './otlp-values.ts'
import type { LineLevel, StoredLine } from './rows.ts'

/**
 * Reads a body of `/v1/logs`. A record without a time is rejected.
 *
 * @throws FlotillaError as `readOtlpRequest` says.
 */
export async function readOtlpLogs(body: OtlpBody): Promise<OtlpRows<StoredLine>> {
  const request = objectOf(await readOtlpRequest('logs', body))
  const lines = listOf(request['resourceLogs']).flatMap(({ resource, scopeLogs }) => {
    const { service, instance } = sourceOf(resource)
    return listOf(scopeLogs).flatMap(({ logRecords }) =>
      listOf(logRecords).map((record) => lineOf(record, service, instance)),
    )
  })
  const rows = lines.filter((line) => line !== undefined)
  return { rows, rejected: lines.length - rows.length }
}

function lineOf(
  record: Readonly<Record<string, unknown>>,
  service: string,
  instance: string,
): StoredLine | undefined {
  const timeUs = microsOf(record['timeUnixNano']) ?? microsOf(record['observedTimeUnixNano'])
  if (timeUs === undefined) return undefined
  const body = anyValueOf(record['body'])
  const eventName = textOf(record['eventName'])
  return {
    timeUs,
    level: levelOf(numberOf(record['severityNumber'])),
    service,
    instance,
    message: typeof body === 'string' ? body : body === null ? eventName : JSON.stringify(body),
    traceId: idOf(record['traceId'], 32),
    spanId: idOf(record['spanId'], 16),
    fields: {
      ...attributesOf(record['attributes']),
      ...(eventName === '' ? {} : { 'event.name': eventName }),
    },
  }
}

/** Of the 24 severities: 1 to 8 are trace and debug, 17 to 24 error and fatal; unspecified is `info`. */
function levelOf(severity: number): LineLevel {
  if (severity >= 17) return 'error'
  if (severity >= 13) return 'warn'
  return severity >= 1 && severity <= 8 ? 'debug' : 'info'
}
