/**
 * The ports of a system, probed before anything is started.
 *
 * @module
 */
import { createServer } from 'node:net'
import { FlotillaError } from '@flotilla/core/error'

/** Fixed ports; all below 32768, where the system does not take ports for outgoing connections. */
export interface SystemPorts {
  readonly gateway: number
  readonly control: number
  readonly registry: number
  readonly postgres: number
}

/** Names, defaults and environment variables. */
const portFacts = {
  gateway: { default: 8080, variable: 'FLOTILLA_PORT', hint: '--port N or FLOTILLA_PORT' },
  control: { default: 8090, variable: 'FLOTILLA_CONTROL_PORT', hint: 'FLOTILLA_CONTROL_PORT' },
  registry: { default: 8761, variable: 'FLOTILLA_REGISTRY_PORT', hint: 'FLOTILLA_REGISTRY_PORT' },
  postgres: { default: 15_432, variable: 'FLOTILLA_POSTGRES_PORT', hint: 'FLOTILLA_POSTGRES_PORT' },
} as const

/** @throws FlotillaError `invalid_argument` when a variable is not a port, or two name the same. */
export function readPorts(
  environment: Readonly<Record<string, string | undefined>>,
  gateway?: string,
): SystemPorts {
  const read = (name: keyof typeof portFacts, given?: string): number => {
    const { default: fallback, variable } = portFacts[name]
    const text = given ?? environment[variable] ?? String(fallback)
    const port = Number(text)
    if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port
    throw new FlotillaError('invalid_argument', `${variable} must be a port from 1 to 65535, not ${text}.`)
  }
  const ports: SystemPorts = {
    gateway: read('gateway', gateway),
    control: read('control'),
    registry: read('registry'),
    postgres: read('postgres'),
  }
  const users = new Map<number, string>()
  for (const [name, port] of Object.entries(ports)) {
    const other = users.get(port)
    if (other !== undefined) {
      throw new FlotillaError('invalid_argument', `Port ${port} cannot serve both ${other} and ${name}.`)
    }
    users.set(port, name)
  }
  return ports
}

/** @throws FlotillaError `failed_precondition` naming the port that cannot be had, why, and how to choose another. */
export async function probePorts(ports: Partial<SystemPorts>): Promise<void> {
  for (const name of Object.keys(portFacts) as (keyof typeof portFacts)[]) {
    const port = ports[name]
    const code = port === undefined ? undefined : await refusalOf(port)
    if (code !== undefined) {
      throw new FlotillaError(
        'failed_precondition',
        `Port ${port}, which the ${name} needs, ${describeRefusal(code)} another port with ${portFacts[name].hint}.`,
      )
    }
  }
}

/** Why the port cannot be had, in people's words, up to what to do about it. */
export function describeRefusal(code: string): string {
  if (code === 'EADDRINUSE') return 'is taken by another program; stop it, or choose'
  if (code === 'EACCES') return 'may only be opened by root (EACCES); choose'
  return `cannot be opened (${code}); choose`
}

/** The system's error code; undefined when the port is free. */
function refusalOf(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => resolve(code ?? message))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}
