/**
 * Which fields of a request go on to a foreign server. Pure.
 *
 * @source RFC 9110, 7.6 (hop-by-hop); `docs/security.md`, G7, G8, G13
 * @module
 */

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
/** The fields that go on: names and values in turn. */
export function requestFields(rawHeaders: readonly string[], keepsAuthorization: boolean): string[] {
  const fields: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase()
    if (ENDS_HERE.has(name) || SPEAKS_FOR_US.test(name)) continue
    if (name === 'authorization' && !keepsAuthorization) continue
    fields.push(name, rawHeaders[index + 1] as string)
  }
  return fields
}
