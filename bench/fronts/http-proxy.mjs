/**
 * http-proxy on Node's own server; connections to what stands behind are kept. Not bare: with the guards as middleware.
 *
 * @module
 */
import { Agent, createServer } from 'node:http'
import httpProxy from 'http-proxy'
import { createGuards } from './guards.mjs'

/** Opens it. */
export function open({ port, origin, publicKey, isBare }) {
  const proxy = httpProxy.createProxyServer({ target: origin, agent: new Agent({ keepAlive: true }) })
  proxy.on('error', (_error, _request, response) => response.writeHead(502).end())
  const [limit, authenticate] = createGuards(publicKey)
  const server = createServer((request, response) => {
    const pass = () => proxy.web(request, response)
    if (isBare) pass()
    else limit(request, response, () => authenticate(request, response, pass))
  })
  return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
}
