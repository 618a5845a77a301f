/**
 * A port for a test's own server.
 *
 * @module
 */
import { createServer } from 'node:net'
import { randomInteger, systemRandom } from '../kernel/random.ts'

// Above what others are likely to use, below the range from which the system takes ports for outgoing connections.
const PORT_MIN = 20_000
const PORT_MAX = 32_767
const TRIES_MAX = 50

/** A port on loopback that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = PORT_MIN + randomInteger(systemRandom, PORT_MAX - PORT_MIN)
    if (await isFree(port)) return port
  }
  throw new Error(`No free port among ${TRIES_MAX}.`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
