/**
 * The JavaScript fronts, each in a process of its own, in production mode. Without `isBare` they check the token and count the limit;
 * what else is on and off, their own files say.
 *
 * @module
 */
import { ask, ended, freePort, MEASURED_CORE, OTHER_CORE, start } from '../children.mjs'
import { openBack } from './nginx.mjs'
import { createTokens } from './tokens.mjs'

const PATH = '/api/v1/products/AUD-0007'
const PRODUCTION = { NODE_ENV: 'production' }

/** Opens one that proxies HTTP, before nginx. */
export function openProxy(name, { isBare = false } = {}) {
  return async (folder) => {
    const back = await openBack(folder)
    return openFront(name, { origin: back.origin, isBare }, () => back.close())
  }
}

/** Opens moleculer-web, before a node of its kind. */
export async function openMoleculerWeb() {
  const nodePorts = { front: await freePort(), back: await freePort() }
  const back = start('./front-side.mjs', {
    args: ['moleculer-web', 'openBehind'],
    core: OTHER_CORE,
    env: PRODUCTION,
  })
  await ask(back, { nodePorts })
  return openFront('moleculer-web', { nodePorts, isBare: false }, () => ended(back))
}

async function openFront(name, options, closeBack) {
  const { bearer, pem } = await createTokens()
  const port = await freePort()
  const front = start('./front-side.mjs', { args: [name, 'open'], core: MEASURED_CORE, env: PRODUCTION })
  await ask(front, { port, publicKey: pem, ...options })
  return {
    url: `http://127.0.0.1:${port}${PATH}`,
    headers: options.isBare ? {} : { authorization: `Bearer ${bearer}` },
    pids: () => [front.pid],
    async close() {
      await ended(front)
      await closeBack()
    },
  }
}
