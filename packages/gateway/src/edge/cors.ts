/**
 * Which web pages may call from browsers, and what their scripts may read.
 *
 * @source https://fetch.spec.whatwg.org/#http-cors-protocol
 * @module
 */
import type { EdgeRules } from './edge-policies.ts'

/** What scripts of allowed origins may read of an answer, beside the usual. */
const EXPOSED =
  'Age, Cache-Status, Deprecation, ETag, Idempotent-Replayed, Link, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, Sunset, WWW-Authenticate, X-Request-Id'

/** Adds to `headers` what the answer to this origin needs; true when its scripts may read it. */
export function answerOrigin(
  { corsOrigins }: EdgeRules,
  origin: string | undefined,
  headers: string[],
): boolean {
  if (corsOrigins.size === 0) return false
  // Also where there is no origin: a shared cache must not give that answer to a browser.
  headers.push('vary', 'Origin')
  if (origin === undefined || !corsOrigins.has(origin)) return false
  headers.push('access-control-allow-origin', origin, 'access-control-expose-headers', EXPOSED)
  return true
}
