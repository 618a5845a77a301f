/**
 * JSON over HTTP: undici's pool to fastify, bare.
 *
 * @module
 */
import fastify from 'fastify'
import { Pool } from 'undici'
import { input, output } from '../payload.mjs'

/** Opens the answering side. */
export async function serve() {
  const app = fastify()
  app.post('/quote', async () => output)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  return { origin }
}

/** Opens the calling side. */
export async function connect({ origin }) {
  const pool = new Pool(origin, { connections: 64, pipelining: 1 })
  const headers = { 'content-type': 'application/json' }
  return async () => {
    const { body } = await pool.request({
      method: 'POST',
      path: '/quote',
      headers,
      body: JSON.stringify(input),
    })
    return body.json()
  }
}
