/**
 * The ports of a system, probed before anything is started.
 *
 * @module
 */
import { createServer } from 'node:net'
import { type App, outsidePortVariable } from '@flotilla/core/app'
import { FlotillaError } from '@flotilla/core/error'

/** Fixed ports; all below 32768, where the system does not take ports for outgoing connections. */
export interface SystemPorts {
  readonly gateway: number
  readonly control: number
  readonly registry: number
  readonly postgres: number
  /** Of services that stand for the outside world, by service. */
  readonly outside: Readonly<Record<string, number>>
}

/** A port of the system. */
export interface PortUse {
  /** Who needs it. */
  readonly user: string
  readonly port: number
  /** How to choose another. */
  readonly hint: string
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
  { outside = [] }: Pick<App, 'outside'>,
  environment: Readonly<Record<string, string | undefined>>,
  gateway?: string,
): SystemPorts {
  const read = (variable: string, fallback: number, given?: string): number => {
    const text = given ?? environment[variable] ?? String(fallback)
    const port = Number(text)
    if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port
    throw new FlotillaError('invalid_argument', `${variable} must be a port from 1 to 65535, not ${text}.`)
  }
  const readFixed = (name: keyof typeof portFacts, given?: string): number =>
    read(portFacts[name].variable, portFacts[name].default, given)
  const ports: SystemPorts = {
    gateway: readFixed('gateway', gateway),
    control: readFixed('control'),
    registry: readFixed('registry'),
    postgres: readFixed('postgres'),
    outside: Object.fromEntries(
      outside.map(({ service, port }) => [service, read(outsidePortVariable(service), port)]),
    ),
  }
  const users = new Map<number, string>()
  for (const { user, port } of portUses(ports)) {
    const other = users.get(port)
    if (other !== undefined) {
      throw new FlotillaError('invalid_argument', `Port ${port} cannot serve both ${other} and ${user}.`)
    }
    users.set(port, user)
  }
  return ports
}

/** Where clients find the gateway: by TLS when it has a certificate. */
export function gatewayOrigin(
  { gateway }: Pick<SystemPorts, 'gateway'>,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const scheme = environment['GATEWAY_TLS_CERTIFICATE'] ? 'https' : 'http'
  return `${scheme}://127.0.0.1:${gateway}`
}

/** Every port, and who needs it. */
export function portUses(ports: SystemPorts): readonly PortUse[] {
  const fixed = Object.entries(portFacts).map(([user, { hint }]) => {
    return { user, port: ports[user as keyof typeof portFacts], hint }
  })
  const outside = Object.entries(ports.outside).map(([user, port]) => {
    return { user, port, hint: outsidePortVariable(user) }
  })
  return [...fixed, ...outside]
}

/** @throws FlotillaError `failed_precondition` naming the port if it cannot be had, why, and how to choose another. */
export async function probePort({ user, port, hint }: PortUse): Promise<void> {
  const code = await refusalOf(port)
  if (code === undefined) return
  throw new FlotillaError(
    'failed_precondition',
    `Port ${port}, which the ${user} needs, ${describeRefusal(code)} another port with ${hint}.`,
  )
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
