/**
 * JWT and rate limit for fronts that have none of their own and take middleware: fast-jwt, with its cache of verified tokens on (as ours
 * is), and express-rate-limit, by address, in memory, with its header fields.
 *
 * @module
 */
import { rateLimit } from 'express-rate-limit'
import { createVerifier } from 'fast-jwt'
import { AUDIENCE, ISSUER } from './tokens.mjs'

/** What fast-jwt, which @fastify/jwt uses too, is to check. */
export const CHECKS = { algorithms: ['ES256'], allowedIss: ISSUER, allowedAud: AUDIENCE, cache: true }
/** Counted like any other, and never reached. */
export const PER_MINUTE = 1_000_000_000

/** Gives what a field `Authorization` says; throws when it is not to be believed. */
export function createCheck(publicKey) {
  const verify = createVerifier({ key: publicKey, ...CHECKS })
  return (authorization = '') => verify(authorization.slice('Bearer '.length))
}

/** Limit, then token: middleware. */
export function createGuards(publicKey) {
  const check = createCheck(publicKey)
  const limit = rateLimit({
    windowMs: 60_000,
    limit: PER_MINUTE,
    // What express would know as `ip`.
    keyGenerator: ({ socket }) => socket.remoteAddress,
    validate: false,
  })
  const authenticate = (request, response, next) => {
    try {
      request.user = check(request.headers.authorization)
    } catch {
      response.statusCode = 401
      response.end()
      return
    }
    next()
  }
  return [limit, authenticate]
}
