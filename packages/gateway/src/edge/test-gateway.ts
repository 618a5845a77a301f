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
import { after, before } from 'node:test'
import { anyone, role, user } from '@flotilla/core/access'
import { defineApp } from '@flotilla/core/app'
import type { User } from '@flotilla/core/caller'
import { defineContract } from '@flotilla/core/contract'
import { findFreePort } from '@flotilla/core/free-port'
import { command, query, stream } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'
import { defineService, type OperationContext } from '@flotilla/core/service'
import { openTestApp, type TestApp } from '@flotilla/core/test-app'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { defineGateway } from './gateway.ts'

const Thing = Type.Object({ id: Type.String(), version: Type.Integer() }, { title: 'Thing' })
const Id = Type.Object({ id: Type.String({ maxLength: 50 }) })

/** What the service behind the gateway promises: one operation for everything a gateway treats differently. */
export const things = defineContract({
  name: 'things',
  version: 1,
  summary: 'Things to test with.',
  operations: {
    list: query({
      summary: 'Lists.',
      access: anyone,
      http: 'GET /things',
      cache: { maxAgeS: 60, scope: 'public' },
      input: Type.Object({
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
        isNew: Type.Optional(Type.Boolean()),
        tag: Type.Optional(Type.Array(Type.String())),
      }),
      output: Type.Object({ asked: Type.Unknown() }),
    }),
    get: query({
      summary: 'Gives one.',
      access: anyone,
      http: { route: 'GET /things/{id}', etag: 'version' },
      input: Id,
      output: Thing,
    }),
    put: command({
      summary: 'Changes one.',
      access: user,
      idempotency: 'natural',
      http: { route: 'PUT /things/{id}', etag: 'version', ifMatch: 'version' },
      input: Type.Object({ id: Type.String(), version: Type.Integer() }),
      output: Thing,
    }),
    remove: command({
      summary: 'Removes one.',
      access: role('admin'),
      idempotency: 'natural',
      http: { route: 'DELETE /things/{id}', status: 204 },
      input: Id,
      output: Type.Object({}),
    }),
    create: command({
      summary: 'Makes one.',
      access: user,
      idempotency: 'key_required',
      http: { route: 'POST /things', status: 201 },
      input: Type.Object({ id: Type.String({ minLength: 1, maxLength: 20 }) }),
      output: Thing,
    }),
    echo: command({
      summary: 'Says it again.',
      access: anyone,
      idempotency: 'none',
      http: 'POST /echo',
      input: Type.Object({ text: Type.Optional(Type.String()) }),
      output: Type.Object({ text: Type.String() }),
    }),
    login: command({
      summary: 'Could be used to guess.',
      access: anyone,
      idempotency: 'none',
      http: 'POST /login',
      input: Type.Object({ email: Type.String() }),
      output: Type.Object({}),
    }),
    whoAmI: query({
      summary: 'Tells who asks.',
      access: user,
      http: 'GET /me',
      output: Type.Object({ user: Type.Unknown(), service: Type.String(), requestId: Type.String() }),
    }),
    hold: query({
      summary: 'Answers when it is let go.',
      access: anyone,
      http: 'GET /hold',
      output: Type.Object({}),
    }),
    fail: query({
      summary: 'Fails.',
      access: anyone,
      http: 'GET /fail',
      output: Type.Object({}),
    }),
    watch: stream({
      summary: 'Counts to two.',
      access: anyone,
      http: 'GET /watch',
      output: Type.Object({ count: Type.Integer() }),
    }),
  },
})

const gateway = defineContract({
  name: 'gateway',
  version: 1,
  summary: 'Answers of many services in one.',
  operations: {
    home: query({ summary: 'Home.', access: anyone, http: 'GET /home', output: Type.Object({}) }),
  },
})

/** A call that waits in the service. */
export interface Held {
  readonly ctx: OperationContext
  readonly letGo: () => void
}

/** An answer. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
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
  readonly isDraining: () => boolean
  ask(path: string, ask?: Ask): Promise<Answer>
  /** Sends bytes on a connection of their own; gives everything that comes back until it closes. */
  raw(bytes: string | Buffer): Promise<string>
  /** An access token of a user with this id. */
  token(id: string, claims?: Readonly<Record<string, unknown>>): Promise<string>
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
const AUDIENCE = 'things'

/** One for all tests of a suite; to be asked for within a test. */
export function sharedGateway(environment: Readonly<Record<string, string>> = {}): () => TestGateway {
  const cleanUps: (() => Promise<void>)[] = []
  let opened: TestGateway | undefined
  before(async () => {
    opened = await openTestGateway({ after: (cleanUp) => cleanUps.unshift(cleanUp) }, environment)
  })
  after(async () => {
    for (const cleanUp of cleanUps) await cleanUp()
  })
  return () => opened as TestGateway
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
  const keys = await generateKeyPair('ES256')
  const publicKey: JWK = { ...(await exportJWK(keys.publicKey)), kid: KID, alg: 'ES256', use: 'sig' }
  let isDraining = () => false
  const thingsService = thingsThatTell(calls, held, (drains) => {
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
    findApiKey: async (_, key) => apiKeys.get(key),
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
    isDraining: () => isDraining(),
    ask: (path, ask = {}) => askOver(port, path, ask),
    raw: (bytes) => sendRaw(port, bytes),
    token: (id, claims = {}) =>
      new SignJWT({ roles: ['user'], tier: 'free', ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: KID, typ: 'at+jwt' })
        .setSubject(id)
        .setIssuer(ISSUER)
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

function thingsThatTell(
  calls: string[],
  held: Held[],
  onOpen: (isDraining: () => boolean) => void,
): ReturnType<typeof defineService> {
  return defineService({
    contract: things,
    database: { migrations: 'migrations' },
    open({ isDraining }) {
      onOpen(isDraining)
      const tell = (name: string): void => void calls.push(name)
      return {
        list(input) {
          tell('list')
          return { asked: input }
        },
        get({ id }) {
          tell('get')
          return { id, version: 3 }
        },
        put({ id, version }) {
          tell('put')
          return { id, version: version + 1 }
        },
        remove() {
          tell('remove')
          return {}
        },
        create({ id }, ctx) {
          tell('create')
          return ctx.commit(async () => ({ id, version: calls.length }))
        },
        echo({ text = '' }) {
          tell('echo')
          return { text }
        },
        login() {
          tell('login')
          return {}
        },
        whoAmI(_, { user: its, caller, requestId }) {
          tell('whoAmI')
          return { user: its, service: caller.service ?? '', requestId: requestId ?? '' }
        },
        async hold(_, ctx) {
          tell('hold')
          await new Promise<void>((resolve) => held.push({ ctx, letGo: resolve }))
          return {}
        },
        fail() {
          tell('fail')
          throw new TypeError('the secret is 42')
        },
        async *watch(_, ctx) {
          tell('watch')
          yield { count: 1 }
          await new Promise<void>((resolve) => {
            held.push({ ctx, letGo: resolve })
            ctx.signal.addEventListener('abort', () => resolve())
          })
          yield { count: 2 }
        },
      }
    },
  })
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
        const answer = Buffer.concat(chunks).toString('utf8')
        const isJson = /json/.test(incoming.headers['content-type'] ?? '') && answer !== ''
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text: answer,
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
