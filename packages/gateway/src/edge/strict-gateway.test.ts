/**
 * A gateway before a service that keeps what it was given, and connections to it that are nothing but bytes.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { anyone } from '@flotilla/core/access'
import { defineApp } from '@flotilla/core/app'
import { systemClock } from '@flotilla/core/clock'
import { defineContract } from '@flotilla/core/contract'
import { findFreePort } from '@flotilla/core/free-port'
import { query } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'
import { defineService, type OperationContext } from '@flotilla/core/service'
import { openTestApp, type TestApp } from '@flotilla/core/test-app'
import { defineGateway } from './gateway.ts'
import { openOnce } from './open-once.test.ts'
import { mirrorOperations } from './strict-mirror.test.ts'

const mirror = defineContract({
  name: 'mirror',
  version: 1,
  summary: 'Says what it was asked.',
  operations: {
    ...mirrorOperations,
    long: query({
      summary: 'Too long for the buffers of a connection.',
      access: anyone,
      http: 'GET /long',
      output: Type.Object({ text: Type.String() }),
    }),
  },
})

const gatewayContract = defineContract({
  name: 'gateway',
  version: 1,
  summary: 'Nothing of its own.',
  operations: {},
})

/** So that a test of what should close fails by itself. */
const RAW_MS_MAX = 6_000
const LONG = 'a'.repeat(16 * 1024 * 1024)

/** What the service was given. */
export interface Seen {
  readonly operation: string
  readonly input: unknown
}

/** One call of the service. */
export interface SeenCall extends Seen {
  readonly ctx: OperationContext
}

/** The gateway, and what its service saw. */
export interface StrictGateway {
  readonly app: TestApp
  readonly port: number
  /** In order; may be emptied. */
  readonly calls: SeenCall[]
  /** Sends bytes on a connection of their own; gives everything that comes back until the gateway closes it, 6 s at the most. */
  raw(bytes: string): Promise<string>
  /** Lines of the access log that have been written. */
  accessLog(): readonly Readonly<Record<string, unknown>>[]
}

/** Bounds that no test reaches by accident. */
const AMPLE = { GATEWAY_ADDRESS_PER_MINUTE: '100000000', GATEWAY_ANONYMOUS_PER_MINUTE: '100000000' }

/** One for all tests of a suite; to be asked for within a test. */
export function sharedStrictGateway(environment?: Readonly<Record<string, string>>): () => StrictGateway {
  return openOnce(openStrictGateway, environment)
}

/** Opens it; needs no database. */
export async function openStrictGateway(
  t: { after(cleanUp: () => Promise<void>): void },
  environment: Readonly<Record<string, string>> = {},
): Promise<StrictGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-strict-'))
  t.after(async () => rmSync(folder, { recursive: true, force: true }))
  const logPath = join(folder, 'access.log')
  const port = await findFreePort()
  const calls: SeenCall[] = []
  const see = (operation: string) => (input: unknown, ctx: OperationContext) => {
    calls.push({ operation, input, ctx })
    return { operation, input }
  }
  const mirrorService = defineService({
    contract: mirror,
    open: () => ({
      list: see('list'),
      get: see('get'),
      put: see('put'),
      remove: see('remove'),
      echo: see('echo'),
      long: () => ({ text: LONG }),
    }),
  })
  const gatewayService = defineGateway({
    contract: gatewayContract,
    contracts: [mirror],
    handlers: {},
    title: 'Mirror',
    description: 'For tests.',
    issuer: 'https://issuer.test',
    audience: 'mirror',
    fetchKeys: async () => ({ keys: [] }),
    findApiKey: async () => undefined,
    strictRoutes: [],
  })
  const app = await openTestApp(t, {
    app: defineApp({
      name: 'strict',
      folder,
      services: { mirror: async () => mirrorService, gateway: async () => gatewayService },
    }),
    placement: 'one process',
    environment: { ...AMPLE, GATEWAY_PORT: String(port), GATEWAY_ACCESS_LOG: logPath, ...environment },
  })
  return {
    app,
    port,
    calls,
    raw: (bytes) => sendRaw(port, bytes),
    accessLog: () =>
      readFileSync(logPath, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>),
  }
}

function sendRaw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    // A connection that is cut while we write is one that closed.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
    })
    const timer = systemClock.schedule(RAW_MS_MAX, () => socket.destroy())
    socket.on('close', () => {
      timer.cancel()
      resolve(Buffer.concat(chunks).toString('latin1'))
    })
    socket.write(bytes, 'latin1')
  })
}
