/**
 * What the gateway reads of X.509 certificates.
 *
 * @module
 */
import { createHash, type X509Certificate } from 'node:crypto'
import { parseIsoTime } from '@flotilla/core/clock'

/** A client's certificate, whose chain was verified when its connection began. */
export interface ClientCertificate {
  /** As in `O=Flotilla,CN=orders`; what it says is its CA's business. */
  readonly subject: string
  /** URIs among the alternative names of the subject, such as `spiffe://shop/orders`. */
  readonly uris: readonly string[]
  /** SHA-256 of the certificate in base64url, as `x5t#S256` in the `cnf` of a token. */
  readonly thumbprint: string
  /** Wall-clock milliseconds. */
  readonly expiresAtMs: number
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
const TIME = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d:\d\d:\d\d) (\d{4}) GMT$/
/** One name; what could be taken for another is in quotes. */
const NAME = /(?:, )?([^:,"]+):("(?:[^"\\]|\\.)*"|[^",]*)/y

/** What is known of a client by it. */
export function clientCertificateOf(certificate: X509Certificate): ClientCertificate {
  return {
    subject: certificate.subject.replaceAll('\n', ','),
    uris: urisOf(certificate.subjectAltName ?? ''),
    thumbprint: createHash('sha256').update(certificate.raw).digest('base64url'),
    expiresAtMs: certificateTimeMs(certificate.validTo),
  }
}

/** Wall-clock milliseconds of a time as OpenSSL writes it: `Nov 22 02:15:23 2026 GMT`; 0 of anything else, so that it has passed. */
export function certificateTimeMs(text: string): number {
  const [, month = '', day = '', time = '', year = ''] = TIME.exec(text) ?? []
  const number = MONTHS.indexOf(month) + 1
  const timeMs = parseIsoTime(`${year}-${String(number).padStart(2, '0')}-${day.padStart(2, '0')}T${time}Z`)
  return Number.isNaN(timeMs) ? 0 : timeMs
}

/** URIs of a list as Node writes it; none when it is not to be read, so that nobody is taken for somebody else. */
function urisOf(names: string): string[] {
  const uris: string[] = []
  for (let at = 0; at < names.length; at = NAME.lastIndex) {
    NAME.lastIndex = at
    const match = NAME.exec(names)
    if (match === null) return []
    const [, kind, value = ''] = match
    if (kind === 'URI') uris.push(value.startsWith('"') ? String(JSON.parse(value)) : value)
  }
  return uris
}
