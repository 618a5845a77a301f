/**
 * Our gateway, with everything that is on by default: the strict reading of requests, JWT, limits by address and user, metrics, access
 * log (to a file), trace, admission. Limits are counted like any other, and never reached.
 *
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask, ended, freePort, MEASURED_CORE, OTHER_CORE, start } from '../children.mjs'
import { createKeys, hostEnvironment } from '../hosts.mjs'
import { openBack } from './nginx.mjs'
import { createTokens } from './tokens.mjs'

const UNREACHED = '1000000000'

/** Before a service: frames between two processes. */
export function openBeforeService(folder) {
  return openGateway(folder, '/api/v1/products/AUD-0007', {})
}

/** The same, for answers that the gateway keeps. */
export function openBeforeKept(folder) {
  return openGateway(folder, '/api/v1/kept/AUD-0007', {})
}

/** Before a foreign server: a route of the policy file, for users. */
export async function openBeforeForeign(folder) {
  const back = await openBack(folder)
  const path = join(folder, 'policies.json')
  const upstream = { name: 'back' }
  const gateway = {
    upstreams: { back: { targets: [back.origin] } },
    routes: [{ match: { path: '/foreign/**' }, upstream, access: 'user' }],
  }
  writeFileSync(path, JSON.stringify({ gateway }))
  const front = await openGateway(folder, '/foreign/products/AUD-0007', { FLOTILLA_POLICIES: path })
  return {
    ...front,
    async close() {
      await front.close()
      await back.close()
    },
  }
}

/** Registry and service in one process, the gateway in another; `more` are further settings of both. */
export async function openGateway(folder, path, more) {
  const keys = createKeys()
  const { jwk, bearer } = await createTokens()
  const port = await freePort()
  const children = []
  const hosts = []
  const open = async (instance, services, core, registry) => {
    const child = start('./host.mjs', {
      core,
      env: { BENCH_TOKEN_KEY: JSON.stringify(jwk), NODE_ENV: 'production' },
    })
    children.push(child)
    const environment = {
      ...hostEnvironment({ folder, keys, instance, services, registry }),
      GATEWAY_PORT: String(port),
      GATEWAY_USER_SIGNING_KEY: keys.user.privateKey,
      GATEWAY_ACCESS_LOG: join(folder, 'access.log'),
      GATEWAY_ADDRESS_PER_MINUTE: UNREACHED,
      GATEWAY_PREMIUM_PER_MINUTE: UNREACHED,
      ...more,
    }
    const { http } = await ask(child, { module: './gateway-app.mjs', environment })
    hosts.push({ name: instance, pid: child.pid, http })
    return child.pid
  }
  await open('back', ['registry', 'bench'], OTHER_CORE)
  const pid = await open('edge', ['gateway'], MEASURED_CORE, 'back')
  return {
    url: `http://127.0.0.1:${port}${path}`,
    headers: { authorization: `Bearer ${bearer}` },
    pids: () => [pid],
    hosts,
    async close() {
      for (const child of children) await ended(child)
    },
  }
}
