/**
 * fastify with @fastify/http-proxy, as they come: undici, 128 kept connections, no log. Not bare: with @fastify/rate-limit (by address, in
 * memory, with its header fields) and @fastify/jwt, its cache of verified tokens on (as ours is).
 *
 * @module
 */
import proxy from '@fastify/http-proxy'
import jwt from '@fastify/jwt'
import rateLimit from '@fastify/rate-limit'
import fastify from 'fastify'
import { CHECKS, PER_MINUTE } from './guards.mjs'

/** Opens it. */
export async function open({ port, origin, publicKey, isBare }) {
  const app = fastify({ logger: false })
  if (!isBare) {
    await app.register(rateLimit, { max: PER_MINUTE, timeWindow: '1 minute' })
    await app.register(jwt, { secret: { public: publicKey }, verify: CHECKS })
    app.addHook('onRequest', (request) => request.jwtVerify())
  }
  await app.register(proxy, { upstream: origin })
  await app.listen({ port, host: '127.0.0.1' })
}
