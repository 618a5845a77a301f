/**
 * Which fields of a request go on to a foreign server, and which of its answer come back. Pure.
 *
 * @source RFC 9110, 7.6 (hop-by-hop); `docs/security.md`, G7, G8, G13
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'

/** Fields of one connection, which end here; and those that the gateway says itself. */
const ENDS_HERE = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'host',
  'content-length',
  'x-api-key',
  'x-request-id',
  'traceparent',
  'tracestate',
  'baggage',
  'forwarded',
])
/** Names that servers take for what a proxy in front has found out. Whoever sends them from outside wants to be somebody else. */
const SPEAKS_FOR_US =
  /^(?:x-forwarded-|x-real-|x-original-|x-user|x-tenant|x-auth|x-client-|x-ssl-|x-criticality|x-deadline|x-flotilla-|remote-|x-remote-|true-client-ip|cf-|fastly-|x-envoy-|x-rewrite-url|client-ip|x-cluster-|via$)/
const AWAY_FROM_ANSWERS = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'date',
  'server',
  'x-powered-by',
  'x-request-id',
  'traceparent',
  'x-content-type-options',
])

/** RFC 9110, 5.5. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** The fields that go on: names and values in turn. */
export function requestFields(rawHeaders: readonly string[], keepsAuthorization: boolean): string[] {
  const fields: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase()
    if (ENDS_HERE.has(name) || SPEAKS_FOR_US.test(name)) continue
    if ((name === 'authorization' || name === 'dpop') && !keepsAuthorization) continue
    fields.push(name, rawHeaders[index + 1] as string)
  }
  return fields
}

/**
 * The fields that come back: names and values in turn.
 *
 * @throws FlotillaError `unavailable` (502) when one has what no value can have
 */
export function answerFields(headers: Readonly<Record<string, string | string[] | undefined>>): string[] {
  const fields: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || AWAY_FROM_ANSWERS.has(name)) continue
    for (const one of Array.isArray(value) ? value : [value]) fields.push(name, checked(name, one))
  }
  return fields
}

function checked(name: string, value: string): string {
  if (VALUE.test(value)) return value
  throw new FlotillaError(
    'unavailable',
    `The server behind this route gave a ${name} that cannot be passed on.`,
    {
      status: 502,
      executed: 'maybe',
    },
  )
}
