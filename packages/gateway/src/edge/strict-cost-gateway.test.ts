/**
 * The gateway of the campaign of costs, in a process of its own: `strict-cost-measure.test.ts` starts this file, and asks it what it has
 * spent. All that the gateway has is on, but for the limits of rates: each request must be bearable by itself.
 *
 * @module
 */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { anyone, user } from '@flotilla/core/access'
import { defineApp } from '@flotilla/core/app'
import { defineContract } from '@flotilla/core/contract'
import { findFreePort } from '@flotilla/core/free-port'
import { query } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { openTestApp } from '@flotilla/core/test-app'
import { exportJWK } from 'jose'
import { defineGateway } from './gateway.ts'
import { makeFiles } from './open-secure-gateway.test.ts'
import { Spending } from './strict-cost-spending.test.ts'
import { mirrorOperations } from './strict-mirror.test.ts'

/** As a gateway is, but for limits by address, which only `limited` has; `tls` speaks TLS. */
export type Kind = 'plain' | 'tls' | 'limited'

/** What tokens must say; their keys are `es` and `rs`. */
export const ISSUER = 'https://issuer.test'
export const AUDIENCE = 'mirror'
/** Long enough that no case waits for its end. */
const HEAD_TIMEOUT_MS = 30_000
/** Of the control: what no request may cost. */
const BURN_MS = 50
const PAGE_ITEMS = 100
const PARTS = 6

const Page = Type.Object({ items: Type.Array(Type.Object({ id: Type.Integer(), about: Type.String() })) })

const mirror = defineContract({
  name: 'mirror',
  version: 1,
  summary: 'Says what it was asked.',
  operations: {
    ...mirrorOperations,
    page: query({
      summary: 'A page of a catalogue, for everybody.',
      access: anyone,
      http: 'GET /page',
      cache: { maxAgeS: 60, scope: 'public' },
      output: Page,
    }),
    kept: query({
      summary: 'Is kept by the gateway.',
      access: anyone,
      http: 'GET /kept/{id}',
      input: Type.Object({ id: Type.String(), page: Type.Optional(Type.Integer()) }),
      output: Page,
      cache: { maxAgeS: 60, scope: 'everyone', tags: [] },
    }),
    mine: query({ summary: 'For users.', access: user, http: 'GET /mine', output: Type.Object({}) }),
    burn: query({
      summary: 'The control: far too expensive.',
      access: anyone,
      http: 'GET /burn',
      output: Type.Object({}),
    }),
  },
})

const gatewayContract = defineContract({
  name: 'gateway',
  version: 1,
  summary: 'Many answers in one.',
  operations: {
    home: query({ summary: 'Six calls.', access: anyone, http: 'GET /home', output: Type.Unknown() }),
  },
})

const AMPLE = { GATEWAY_ADDRESS_PER_MINUTE: '100000000', GATEWAY_ANONYMOUS_PER_MINUTE: '100000000' }

/** A line of messages to who started this process. */
async function serve(): Promise<void> {
  const cleanUps: (() => Promise<void>)[] = []
  const spending = new Spending(true)
  process.on('message', (what: 'read' | 'settle') => {
    if (what === 'settle') spending.settle()
    process.send?.(spending.read())
  })
  process.on('disconnect', () => {
    void Promise.all(cleanUps.toReversed().map((cleanUp) => cleanUp())).finally(() => process.exit(0))
  })
  const port = await open({ after: (cleanUp) => void cleanUps.push(cleanUp) }, process.argv[3] as Kind)
  process.send?.({ port })
}

async function open(t: { after(cleanUp: () => Promise<void>): void }, kind: Kind): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-cost-'))
  t.after(async () => rmSync(folder, { recursive: true, force: true }))
  const port = await findFreePort()
  const { publicKey: es } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { publicKey: rs } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const keys = [
    { ...(await exportJWK(es)), kid: 'es', alg: 'ES256', use: 'sig' },
    { ...(await exportJWK(rs)), kid: 'rs', alg: 'RS256', use: 'sig' },
  ]
  const gatewayService = defineGateway({
    contract: gatewayContract,
    contracts: [mirror],
    handlers: {
      async home(_, ctx) {
        const its = ctx.call(mirror)
        const parts = Array.from({ length: PARTS }, (__, part) => its.get({ id: `${part}` }))
        return { parts: await Promise.all(parts) }
      },
    },
    title: 'Mirror',
    description: 'For tests.',
    issuer: ISSUER,
    audience: AUDIENCE,
    fetchKeys: async () => ({ keys }),
    findApiKey: async () => undefined,
    strictRoutes: [],
  })
  const files = kind === 'tls' ? (await makeFiles(t)).environment : {}
  await openTestApp(t, {
    app: defineApp({
      name: 'cost',
      folder,
      services: { mirror: async () => mirrorService(), gateway: async () => gatewayService },
    }),
    placement: 'one process',
    environment: {
      ...(kind === 'limited' ? {} : AMPLE),
      ...files,
      GATEWAY_HEAD_TIMEOUT_MS: String(HEAD_TIMEOUT_MS),
      GATEWAY_PORT: String(port),
      GATEWAY_ACCESS_LOG: join(folder, 'access.log'),
    },
  })
  return port
}

function mirrorService() {
  const see = (operation: string) => (input: unknown) => ({ operation, input })
  const about = 'A thing that is described in a line of text, as things of a catalogue are. '
  const items = Array.from({ length: PAGE_ITEMS }, (_, id) => ({
    id,
    about: `${about.repeat(4)}${id * 7919}`,
  }))
  return defineService({
    contract: mirror,
    open: () => ({
      list: see('list'),
      get: see('get'),
      put: see('put'),
      remove: see('remove'),
      echo: see('echo'),
      page: () => ({ items }),
      kept: () => ({ items }),
      mine: () => ({}),
      burn() {
        const before = process.cpuUsage()
        while (process.cpuUsage(before).user < BURN_MS * 1_000);
        return {}
      },
    }),
  })
}

if (process.argv[2] === 'cost-gateway') await serve()
