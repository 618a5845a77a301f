/**
 * An identity provider that a test can bend: honest unless told otherwise.
 *
 * @module
 */
import { createHash, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What it does wrong next; all of it may be changed. */
export interface Bends {
  /** On top of honest claims; undefined takes one away. */
  claims: Readonly<Record<string, unknown>>
  /** On top of an honest header. */
  header: Readonly<Record<string, unknown>>
  /** In place of its own signature. */
  signature: ((text: string, key: KeyObject) => Buffer) | undefined
  /** On top of what it says of itself. */
  metadata: Readonly<Record<string, unknown>>
  /** In place of the answer of the token endpoint. */
  tokenAnswer: { readonly status: number; readonly body: string } | undefined
}

/** The provider. */
export interface CrookedProvider {
  readonly issuer: string
  readonly bends: Bends
  /** What its token endpoint was asked. */
  readonly asked: URLSearchParams[]
  /** Begins the next login: the code that the browser brings back, for a nonce and a challenge. */
  grant(url: string): string
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const SECRET = 'a secret of the tests'

/** Opens one. */
export async function openCrookedProvider(t: {
  after(cleanUp: () => Promise<void>): void
}): Promise<CrookedProvider> {
  const bends: Bends = { claims: {}, header: {}, signature: undefined, metadata: {}, tokenAnswer: undefined }
  const asked: URLSearchParams[] = []
  const grants = new Map<string, { readonly nonce: string; readonly challenge: string }>()
  const server = createServer((incoming, outgoing) => {
    const json = (status: number, body: string) =>
      outgoing.writeHead(status, { 'content-type': 'application/json' }).end(body)
    void (async () => {
      if (incoming.url === '/.well-known/openid-configuration')
        return json(200, JSON.stringify({ ...metadataOf(issuer), ...bends.metadata }))
      if (incoming.url === '/jwks') {
        const key = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' }
        return json(200, JSON.stringify({ keys: [key] }))
      }
      const form = new URLSearchParams(await textOf(incoming))
      asked.push(form)
      if (bends.tokenAnswer !== undefined) return json(bends.tokenAnswer.status, bends.tokenAnswer.body)
      const code = form.get('code') ?? ''
      const granted = grants.get(code)
      grants.delete(code)
      const shown = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url')
      if (granted?.challenge !== shown) return json(400, '{"error":"invalid_grant"}')
      const idToken = idTokenOf(issuer, granted.nonce, bends)
      return json(200, JSON.stringify({ access_token: 'a', token_type: 'Bearer', id_token: idToken }))
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.after(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return {
    issuer,
    bends,
    asked,
    grant(url) {
      const { searchParams } = new URL(url)
      const code = `code-${grants.size}-${asked.length}`
      grants.set(code, {
        nonce: searchParams.get('nonce') ?? '',
        challenge: searchParams.get('code_challenge') ?? '',
      })
      return code
    },
  }
}

function metadataOf(issuer: string): object {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256', 'RS256', 'HS256', 'none'],
    authorization_response_iss_parameter_supported: true,
  }
}

function idTokenOf(issuer: string, nonce: string, { claims, header, signature }: Bends): string {
  const nowS = Math.floor(Date.now() / 1000)
  const honest = { iss: issuer, sub: 'u1', aud: 'shop', iat: nowS, exp: nowS + 300, nonce }
  const person = { email: 'Ann@Example.org', email_verified: true, name: 'Ann' }
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${encoded({ alg: 'ES256', kid: 'k1', ...header })}.${encoded({ ...honest, ...person, ...claims })}`
  const own = (it: string) => sign('sha256', Buffer.from(it), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${text}.${(signature ?? own)(text, publicKey).toString('base64url')}`
}

/** Signs with the public key, as if it were a shared secret. */
export const byPublicKey = (text: string, key: KeyObject): Buffer =>
  createHmac('sha256', key.export({ format: 'pem', type: 'spki' }))
    .update(text)
    .digest()

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
