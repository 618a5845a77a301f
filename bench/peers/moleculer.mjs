/**
 * Moleculer as it comes: no validation, no authorisation, no metrics, no tracing; its TCP transporter.
 *
 * @module
 */
import { ServiceBroker } from 'moleculer'
import { freePort } from '../children.mjs'
import { input, output } from '../payload.mjs'

const service = { name: 'bench', actions: { quote: () => output } }

function broker(nodeID, port, urls) {
  return new ServiceBroker({
    nodeID,
    logger: false,
    transporter: { type: 'TCP', options: { udpDiscovery: false, port, urls } },
  })
}

/** Opens the answering side. */
export async function serve() {
  const ports = { server: await freePort(), client: await freePort() }
  const urls = [`127.0.0.1:${ports.server}/server`, `127.0.0.1:${ports.client}/client`]
  const server = broker('server', ports.server, urls)
  server.createService(service)
  await server.start()
  return { ports, urls }
}

/** Opens the calling side. */
export async function connect({ ports, urls }) {
  const client = broker('client', ports.client, urls)
  await client.start()
  await client.waitForServices('bench', 20_000)
  return () => client.call('bench.quote', input)
}

/** In this process. */
export async function local(measure) {
  const only = new ServiceBroker({ logger: false })
  only.createService(service)
  await only.start()
  await measure(() => only.call('bench.quote', input))
  await only.stop()
}
