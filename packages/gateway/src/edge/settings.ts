/**
 * What a deployment can set of a gateway, by environment variables `GATEWAY_…`.
 *
 * @module
 */
import { type Static, Type } from '@flotilla/core/schema'

const perMinute = (fallback: number, description: string) =>
  Type.Integer({ minimum: 1, default: fallback, description: `requests a minute: ${description}` })

/** The schema. */
export const GatewaySettings = Type.Object({
  host: Type.String({ default: '127.0.0.1', description: 'address to listen on; 0.0.0.0 for everybody' }),
  port: Type.Integer({ minimum: 0, maximum: 65_535, default: 8080, description: 'port to listen on' }),
  userSigningKey: Type.String({ description: 'private key that user tokens are signed with' }),
  trustedProxies: Type.Array(Type.String(), {
    default: [],
    description: 'proxies whose X-Forwarded-For is believed',
  }),
  corsOrigins: Type.Array(Type.String(), {
    default: [],
    description: 'web origins that may call from browsers',
  }),
  connectionsMax: Type.Integer({ minimum: 1, default: 10_000, description: 'connections at once' }),
  connectionsPerAddressMax: Type.Integer({
    minimum: 1,
    default: 2_000,
    description: 'connections at once of one address',
  }),
  headTimeoutMs: Type.Integer({
    minimum: 100,
    maximum: 30_000,
    default: 10_000,
    description:
      'milliseconds a client may take to send the head of a request; three times as long for the whole of it, and for leaving an answer unread',
  }),
  tlsCertificate: Type.String({
    default: '',
    description:
      'PEM file of the certificate, and of those between it and its CA; taken again when it changes. With it the gateway speaks TLS',
  }),
  tlsKey: Type.String({ default: '', description: 'PEM file of its private key' }),
  tlsClientCa: Type.String({
    default: '',
    description: 'PEM file of the CAs whose certificates clients may show',
  }),
  tlsClientCertificate: Type.Enum(['off', 'request', 'require'], {
    default: 'off',
    description: 'whether clients show a certificate: off, request (they may) or require',
  }),
  publicOrigins: Type.Array(Type.String(), {
    default: [],
    description:
      'where clients find the gateway, such as https://shop.example: proofs of possession (DPoP) are made for it; empty: this machine, at its port',
  }),
  secureCookies: Type.Boolean({
    default: false,
    description:
      'cookies are kept for TLS only: for a gateway behind a proxy that speaks TLS; with a certificate of its own they always are',
  }),
  tlsHsts: Type.Boolean({
    default: true,
    description:
      'tells browsers to come by TLS only for a year; false where the name is also served in plain text',
  }),
  cacheBytesMax: Type.Integer({
    minimum: 0,
    default: 67_108_864,
    description: 'bytes of answers that are kept in memory; 0: none',
  }),
  accessLog: Type.String({
    default: '',
    description: 'file that gets a line for every request; empty for standard output, `off` for none',
  }),
  addressPerMinute: perMinute(1_000, 'one address, all in all'),
  anonymousPerMinute: perMinute(500, 'one address without login'),
  freePerMinute: perMinute(100, 'a user of tier free'),
  premiumPerMinute: perMinute(10_000, 'a user of tier premium'),
  strictPerMinute: perMinute(10, 'one address or account, on routes that guard against guessing'),
})

/** The settings. */
export type GatewaySettings = Static<typeof GatewaySettings>

/** True when browsers come by TLS, so that cookies are kept for it only. */
export function isForTls({ tlsCertificate, secureCookies }: GatewaySettings): boolean {
  return tlsCertificate !== '' || secureCookies
}

/** Where clients find the gateway: as configured, or on its own machine. */
export function publicOrigins(settings: GatewaySettings): readonly string[] {
  if (settings.publicOrigins.length > 0) return settings.publicOrigins
  const scheme = isForTls(settings) ? 'https' : 'http'
  return ['127.0.0.1', 'localhost', '[::1]'].map((host) => `${scheme}://${host}:${settings.port}`)
}
