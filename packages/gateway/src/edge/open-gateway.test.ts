/**
 * A gateway for tests: real, on a port of its own, before a small service that tells what reached it.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type IncomingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { anyone } from '@flotilla/core/access'
import { defineApp } from '@flotilla/core/app'
import type { User } from '@flotilla/core/caller'
import { defineContract } from '@flotilla/core/contract'
import { findFreePort } from '@flotilla/core/free-port'
import { query } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'
import { openTestApp, type TestApp } from '@flotilla/core/test-app'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { defineGateway } from './gateway.ts'
import { openOnce } from './open-once.test.ts'
import { type Held, openThings, things } from './things.test.ts'

const gateway = defineContract({
  name: 'gateway',
  version: 1,
  summary: 'Answers of many services in one.',
  operations: {
    home: query({ summary: 'Home.', access: anyone, http: 'GET /home', output: Type.Object({}) }),
  },
})

/** An answer. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly bytes: Buffer
  /** Parsed where it is JSON. */
  readonly body: Readonly<Record<string, unknown>>
}

/** What a request may have. */
export interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is. */
  readonly text?: string | Uint8Array
}

/** The gateway and what stands around it. */
export interface TestGateway {
  readonly app: TestApp
  readonly port: number
  /** Names of the operations that were called, in order. */
  readonly calls: readonly string[]
  readonly held: readonly Held[]
  /** API keys that are worth something; may be changed. */
  readonly apiKeys: Map<string, User>
  /** Sessions and API keys that have ended, as tokens name them; may be added to. */
  readonly ended: string[]
  readonly isDraining: () => boolean
  ask(path: string, ask?: Ask): Promise<Answer>
  /** Sends bytes on a connection of their own; gives everything that comes back until it closes. */
  raw(bytes: string | Buffer): Promise<string>
  /** An access token of a user with this id; of our own issuer unless said otherwise. */
  token(id: string, claims?: Readonly<Record<string, unknown>>, issuer?: string): Promise<string>
  /** Lines of the access log that have been written. */
  accessLog(): readonly Readonly<Record<string, unknown>>[]
}

/** Bounds that no test reaches by accident. */
const AMPLE = {
  GATEWAY_ADDRESS_PER_MINUTE: '100000',
  GATEWAY_ANONYMOUS_PER_MINUTE: '100000',
  GATEWAY_FREE_PER_MINUTE: '100000',
}

const KID = 'k1'
const ISSUER = 'https://issuer.test'
/** Issues tokens, too, with the same key; its chiefs are our admins. */
export const PARTNER = 'https://partner.test'
const AUDIENCE = 'things'
/** Names who may come by a certificate alone. */
export const ROBOT = 'spiffe://test/robot'
const robot: User = { id: 'robot', roles: ['robot'], scopes: [], tier: 'free' }

/** One for all tests of a suite; to be asked for within a test. */
export function sharedGateway(environment?: Readonly<Record<string, string>>): () => TestGateway {
  return openOnce(openTestGateway, environment)
}

/** Opens it, with `environment` on top of ample limits. */
export async function openTestGateway(
  t: { after(cleanUp: () => Promise<void>): void },
  environment: Readonly<Record<string, string>> = {},
): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-gateway-'))
  mkdirSync(join(folder, 'migrations'))
  t.after(async () => rmSync(folder, { recursive: true, force: true }))
  const logPath = join(folder, 'access.log')
  const port = await findFreePort()
  const calls: string[] = []
  const held: Held[] = []
  const apiKeys = new Map<string, User>()
  const ended: string[] = []
  const keys = await generateKeyPair('ES256')
  const publicKey: JWK = { ...(await exportJWK(keys.publicKey)), kid: KID, alg: 'ES256', use: 'sig' }
  let isDraining = () => false
  const thingsService = openThings(calls, held, (drains) => {
    isDraining = drains
  })
  const gatewayService = defineGateway({
    contract: gateway,
    contracts: [things],
    handlers: { home: () => ({}) },
    title: 'Test <API>',
    description: 'For tests.',
    issuer: ISSUER,
    audience: AUDIENCE,
    fetchKeys: async () => ({ keys: [publicKey] }),
    foreignIssuers: [
      {
        issuer: PARTNER,
        audience: AUDIENCE,
        algorithms: ['ES256'],
        keys: async () => ({ keys: [publicKey] }),
        claims: { name: 'partner', roles: { chief: ['admin'] }, tier: 'premium' },
      },
    ],
    fetchEndedSessions: async (_, after, limit) => {
      const sessionIds = ended.slice(after, after + limit)
      return { sessionIds, position: after + sessionIds.length }
    },
    findApiKey: async (_, key) => apiKeys.get(key),
    certificateUsers: ({ uris }) => (uris.includes(ROBOT) ? robot : undefined),
    strictRoutes: [
      { operation: things.operations.login, keyOf: (input) => (input as { email: string }).email },
    ],
  })
  const app = await openTestApp(t, {
    app: defineApp({
      name: 'test',
      folder,
      services: { things: async () => thingsService, gateway: async () => gatewayService },
    }),
    placement: 'one process',
    environment: {
      ...AMPLE,
      GATEWAY_PORT: String(port),
      GATEWAY_ACCESS_LOG: logPath,
      ...environment,
    },
  })
  const nowS = (): number => Math.floor(app.ports.clock.now() / 1000)
  return {
    app,
    port,
    calls,
    held,
    apiKeys,
    ended,
    isDraining: () => isDraining(),
    ask: (path, ask = {}) => askOver(port, path, ask),
    raw: (bytes) => sendRaw(port, bytes),
    token: (id, claims = {}, issuer = ISSUER) =>
      new SignJWT({ roles: ['user'], tier: 'free', ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: KID, typ: 'at+jwt' })
        .setSubject(id)
        .setIssuer(issuer)
        .setAudience(AUDIENCE)
        .setIssuedAt(nowS())
        .setExpirationTime(nowS() + 600)
        .sign(keys.privateKey),
    accessLog: () =>
      readFileSync(logPath, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>),
  }
}

function askOver(port: number, path: string, { method, headers, json, text }: Ask): Promise<Answer> {
  const body = json === undefined ? text : JSON.stringify(json)
  const type: Record<string, string> = json === undefined ? {} : { 'content-type': 'application/json' }
  const length: Record<string, string> =
    body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const options = { host: '127.0.0.1', port, path, agent: false as const }
  return new Promise((resolve, reject) => {
    const outgoing = request({
      ...options,
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...type, ...length, ...headers },
    })
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const bytes = Buffer.concat(chunks)
        const answer = bytes.toString('utf8')
        const isPlain = incoming.headers['content-encoding'] === undefined
        const isJson = isPlain && /json/.test(incoming.headers['content-type'] ?? '') && answer !== ''
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text: answer,
          bytes,
          body: isJson ? (JSON.parse(answer) as Readonly<Record<string, unknown>>) : {},
        })
      })
    })
    outgoing.end(body)
  })
}

function sendRaw(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    // A connection that is cut while we write is one that closed.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
    })
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  })
}
