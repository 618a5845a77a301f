/**
 * moleculer-web before a service of another Moleculer node, by its TCP transporter; it proxies nothing else. No log, no metrics, no
 * tracing, no validation. With its own rate limit (by address, in memory, with its header fields), and fast-jwt in its method
 * `authenticate`, the cache of verified tokens on (as ours is).
 *
 * @module
 */
import { ServiceBroker } from 'moleculer'
import ApiGateway from 'moleculer-web'
import { product } from '../gateway-app.mjs'
import { createCheck, PER_MINUTE } from './guards.mjs'

function broker(nodeID, { nodePorts }) {
  const urls = Object.entries(nodePorts).map(([name, port]) => `127.0.0.1:${port}/${name}`)
  const options = { udpDiscovery: false, port: nodePorts[nodeID], urls }
  return new ServiceBroker({ nodeID, logger: false, transporter: { type: 'TCP', options } })
}

/** The node with the service. */
export async function openBehind(options) {
  const back = broker('back', options)
  back.createService({ name: 'bench', actions: { get: () => product } })
  await back.start()
}

/** The node with the gateway. */
export async function open(options) {
  const { port, publicKey } = options
  const check = createCheck(publicKey)
  const front = broker('front', options)
  front.createService({
    name: 'api',
    mixins: [ApiGateway],
    settings: {
      port,
      ip: '127.0.0.1',
      rateLimit: { window: 60_000, limit: PER_MINUTE, headers: true },
      routes: [{ path: '/api/v1', authentication: true, aliases: { 'GET products/:id': 'bench.get' } }],
    },
    methods: {
      async authenticate(_context, _route, { headers }) {
        try {
          return check(headers.authorization)
        } catch {
          throw new ApiGateway.Errors.UnAuthorizedError()
        }
      },
    },
  })
  await front.start()
  await front.waitForServices('bench', 20_000)
}
