/**
 * A RabbitMQ of our own for a comparison: Debian's, one node with its own name, cookie, ports and folder, on loopback only. Erlang's
 * port mapper would go on by itself when the node has ended, so it is ours, too.
 *
 * Everything else is as it comes, but that quorum queues sync each batch of messages to the disk, which they do by themselves.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { ended, freePort, hasPrograms, startChild, until } from './children.mjs'
import { spentUsOfTree } from './proc.mjs'

/** Debian's own starter changes to the user of the system's server; this is what it would start. */
const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server'
const START_MS = 60_000

/** Whether it is there; says where to get it where it is not. */
export function hasRabbitmq(what) {
  return hasPrograms(what, 'rabbitmq-server')
}

/** Has `work` measure with one that is new; what it gives gets the CPU time of an event in the broker as that of the log. */
export async function withRabbitmq(folder, work) {
  const { url, spentUs, close } = await open(folder)
  try {
    const before = spentUs()
    const result = await work(url)
    const log = Math.round((spentUs() - before) / result.events)
    return { ...result, cpu: { ...result.cpu, log } }
  } finally {
    await close()
  }
}

async function open(folder) {
  const [port, distribution, mapper] = [await freePort(), await freePort(), await freePort()]
  const home = mkdtempSync(join(folder, 'rabbitmq-'))
  writeFileSync(join(home, '.erlang.cookie'), randomBytes(20).toString('hex'), { mode: 0o400 })
  writeFileSync(join(home, 'enabled_plugins'), '[].\n')
  writeFileSync(
    join(home, 'rabbitmq.conf'),
    'vm_memory_high_watermark.relative = 0.5\nlog.file.level = warning\n',
  )
  const env = {
    PATH: `${process.env.PATH}:/usr/sbin`,
    HOME: home,
    ERL_EPMD_PORT: String(mapper),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `bench-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(home, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(home, 'data'),
    RABBITMQ_LOG_BASE: join(home, 'log'),
    RABBITMQ_PID_FILE: join(home, 'pid'),
    // The node takes the place of the script, so that its process is the one we end.
    RABBITMQ_ALLOW_INPUT: 'yes',
  }
  const ports = startChild('epmd', ['-port', String(mapper), '-address', '127.0.0.1'], env)
  const server = startChild(SERVER, ['-noinput'], env)
  const close = async () => {
    await ended(server)
    await ended(ports)
  }
  try {
    await until('RabbitMQ answers', () => isOpen(port, server), START_MS)
  } catch (error) {
    await close()
    throw error
  }
  return { url: `amqp://guest:guest@127.0.0.1:${port}`, spentUs: () => spentUsOfTree(server.pid), close }
}

function isOpen(port, { exitCode }) {
  if (exitCode !== null) throw new Error(`rabbitmq-server ended with ${exitCode}`)
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    socket.on('connect', () => socket.end(() => resolve(true)))
    socket.on('error', () => resolve(false))
  })
}
