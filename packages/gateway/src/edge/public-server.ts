/**
 * The server that faces the world: one exchange per request, and bounds by the settings of the gateway.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import { PROBLEM_TYPE } from '@flotilla/core/problem'
import { openServer } from '../http/server.ts'
import { addressGroup } from '../match/client-address.ts'
import { plainProblem } from './answer.ts'
import { openCertificates } from './certificates.ts'
import type { Edge } from './equipment.ts'
import { Exchange } from './exchange.ts'

/** What a gateway that leaves waits for requests of which it has a part: a process has 10 s to close. */
const LEAVE_MS_MAX = 5_000

const refusals = new Map([
  [400, 'This is no request of HTTP/1.1.'],
  [408, 'The request took too long.'],
  [431, 'The head of the request is too long.'],
])

/** The listening server. */
export interface PublicServer {
  readonly port: number
  /** Takes no new connections, lets requests end, and ends streams. */
  drain(): Promise<void>
}

/** @throws FlotillaError `unavailable` when the port is taken; `failed_precondition` when TLS cannot be spoken as configured. */
export async function openPublicServer(edge: Edge): Promise<PublicServer> {
  const { clock, config, log } = edge.runtime
  const certificates = await openCertificates(edge.runtime)
  const server = await openServer({
    ...certificates?.options,
    clock,
    host: config.host,
    port: config.port,
    headMs: config.headTimeoutMs,
    connectionsMax: config.connectionsMax,
    perAddressMax: config.connectionsPerAddressMax,
    groupOf: (remoteAddress) => addressGroup(edge.addressOf(remoteAddress, undefined)),
    onTurn: (turn) => new Exchange(edge, turn).run(),
    refusal: {
      type: PROBLEM_TYPE,
      body: (status) => plainProblem(status, refusals.get(status) ?? 'This is not taken.'),
    },
  })
  certificates?.follow(server)
  log.info('the gateway listens', {
    host: config.host,
    port: server.port,
    isSecure: certificates !== undefined,
  })
  return {
    port: server.port,
    async drain() {
      const drained = server.drain(Math.min(config.headTimeoutMs, LEAVE_MS_MAX))
      // They would go on for an hour. Who listens connects again, to somebody who stays.
      const leaving = new FlotillaError('unavailable', 'The gateway is leaving; please connect again.')
      edge.streams.endAll(leaving)
      await drained
      await certificates?.close()
    },
  }
}
