/**
 * Which fields of a request go on to a foreign server. Pure.
 *
 * @source RFC 9110, 7.6 (hop-by-hop); `docs/security.md`, G7, G8, G13
 * @module
 */
import { linesOf } from './request-text.ts'

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
/** Of heads that connections have kept: they come again and again. */
const keptLines = [
  new WeakMap<readonly string[], string>(),
  new WeakMap<readonly string[], string>(),
] as const

/**
 * The fields that go on, as lines, each with its end.
 *
 * @param rawHeaders names and values in turn; never changed
 */
export function forwardedLines(rawHeaders: readonly string[], keepsAuthorization: boolean): string {
  const kept = keptLines[keepsAuthorization ? 1 : 0]
  let lines = kept.get(rawHeaders)
  if (lines === undefined) {
    lines = linesOf(requestFields(rawHeaders, keepsAuthorization))
    kept.set(rawHeaders, lines)
  }
  return lines
}

function requestFields(rawHeaders: readonly string[], keepsAuthorization: boolean): string[] {
  const fields: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase()
    if (ENDS_HERE.has(name) || SPEAKS_FOR_US.test(name)) continue
    if ((name === 'authorization' || name === 'dpop') && !keepsAuthorization) continue
    fields.push(name, rawHeaders[index + 1] as string)
  }
  return fields
}
