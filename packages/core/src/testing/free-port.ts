/**
 * A port for a test's own server.
 *
 * Tests of several processes run at once, and some take seconds from choosing a port to listening on it. So a port that was given is *claimed*: the
 * process holds the UDP port of the same number, which no test listens on, and which the system takes back when the process ends, however it does.
 *
 * @module
 */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { type Random, randomInteger, systemRandom } from '../kernel/random.ts'

// Above what others are likely to use, below the range from which the system takes ports for outgoing connections.
const PORT_MIN = 20_000
const PORT_MAX = 32_767
const TRIES_MAX = 50
const address = '127.0.0.1'

/** A port on loopback that was free a moment ago, and that no other call gives while this process runs. */
export async function findFreePort(random: Random = systemRandom): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = PORT_MIN + randomInteger(random, PORT_MAX - PORT_MIN)
    // Claimed first: to look whether it is free is to listen on it, which would be in the way of whom it was given to.
    if ((await claims(port)) && (await isFree(port))) return port
  }
  throw new Error(`No free port among ${TRIES_MAX}.`)
}

/** Claims it; false where somebody has. */
function claims(port: number): Promise<boolean> {
  const claim = createSocket('udp4').unref()
  return new Promise((resolve) => {
    claim.once('error', () => claim.close(() => resolve(false)))
    claim.bind({ address, port, exclusive: true }, () => resolve(true))
  })
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, address, () => probe.close(() => resolve(true)))
  })
}
