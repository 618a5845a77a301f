/**
 * fast-gateway, as it comes: its proxy keeps connections to what stands behind. Not bare: with the guards as middlewares of the route.
 *
 * @module
 */
import gateway from 'fast-gateway'
import { createGuards } from './guards.mjs'

/** Opens it. */
export async function open({ port, origin, publicKey, isBare }) {
  const middlewares = isBare ? [] : createGuards(publicKey)
  const server = gateway({ routes: [{ prefix: '/api', prefixRewrite: '/api', target: origin, middlewares }] })
  await server.start(port, '127.0.0.1')
}
