/**
 * Placements: which host runs which services, how many times. Pure: text in, a checked value out.
 *
 * ```json
 * { "hosts": { "edge": { "services": ["gateway"] }, "shop": { "services": ["catalog", "search"], "instances": 2 } } }
 * ```
 *
 * @module
 */

/** One kind of host. */
export interface HostPlacement {
  readonly services: readonly string[]
  /** Processes of this kind; default 1. */
  readonly instances: number
}

/** Hosts by name. */
export interface Placement {
  readonly name: string
  readonly hosts: Readonly<Record<string, HostPlacement>>
}

/** What a placement must know of a service. */
export interface PlaceableService {
  readonly name: string
  /** Names of the services it calls. */
  readonly calls: readonly string[]
  /** True when there can be one on a machine only: it listens on a fixed port. */
  readonly isSingle: boolean
  /** True when it stands for the outside world: it has a host to itself in every placement. */
  readonly isOutside: boolean
}

/** A placement that cannot be: every mistake in it. */
export class PlacementError extends Error {
  override readonly name = 'PlacementError'
  readonly mistakes: readonly string[]

  constructor(name: string, mistakes: readonly string[]) {
    super(`placement ${name}: ${mistakes.join('; ')}`)
    this.mistakes = mistakes
  }
}

/** Names of the placements that every app has. */
export const builtInPlacements = ['fleet', 'monolith'] as const

/** Every service in a process of its own (`fleet`), or all in one but those outside (`monolith`). */
export function builtInPlacement(
  name: (typeof builtInPlacements)[number],
  services: readonly PlaceableService[],
): Placement {
  const isTogether = ({ isOutside }: PlaceableService): boolean => name === 'monolith' && !isOutside
  const together = services.filter(isTogether)
  const app = together.length > 0 ? { app: { services: namesOf(together), instances: 1 } } : {}
  return { name, hosts: { ...app, ...ownHosts(services.filter((service) => !isTogether(service))) } }
}

/** A host for each, of its name. */
function ownHosts(services: readonly PlaceableService[]): Placement['hosts'] {
  return Object.fromEntries(namesOf(services).map((name) => [name, { services: [name], instances: 1 }]))
}

function namesOf(services: readonly PlaceableService[]): readonly string[] {
  return services.map(({ name }) => name)
}

const HOST_NAME = /^[a-z][a-z0-9-]{0,30}$/
/** The host of the process that steers and watches. */
const RESERVED = 'control'
/** Processes of one host. */
export const INSTANCES_MAX = 64

/**
 * Services that stand for the outside world need not be named: each has a host of its name then.
 *
 * @throws PlacementError naming everything that is wrong.
 */
export function parsePlacement(name: string, text: string, services: readonly PlaceableService[]): Placement {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new PlacementError(name, [`it is not JSON (${(cause as Error).message})`])
  }
  const { hosts, ...rest } = isObject(value) ? value : {}
  if (!isObject(hosts)) throw new PlacementError(name, ['it must be an object with "hosts", an object'])
  const mistakes = Object.keys(rest).map((key) => `${key} is not known`)
  const parsed = Object.entries(hosts).map(
    ([host, given]) => [host, parseHost(host, given, mistakes)] as const,
  )
  const placed = new Set(parsed.flatMap(([, host]) => host.services))
  const unnamed = services.filter((service) => service.isOutside && !placed.has(service.name))
  const placement: Placement = { name, hosts: { ...ownHosts(unnamed), ...Object.fromEntries(parsed) } }
  mistakes.push(...mistakesIn(placement, services))
  if (mistakes.length > 0) throw new PlacementError(name, mistakes)
  return placement
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseHost(host: string, given: unknown, mistakes: string[]): HostPlacement {
  const { services, instances = 1, ...rest } = isObject(given) ? given : {}
  if (!HOST_NAME.test(host)) mistakes.push(`host name ${host} must be lower-case letters, digits and dashes`)
  if (host === RESERVED) mistakes.push(`host name ${host} is taken: the process that watches has it`)
  for (const key of Object.keys(rest)) mistakes.push(`hosts.${host}.${key} is not known`)
  const isList =
    Array.isArray(services) && services.length > 0 && services.every((one) => typeof one === 'string')
  if (!isList) mistakes.push(`hosts.${host}.services must list services`)
  const isCount =
    Number.isInteger(instances) && (instances as number) >= 1 && (instances as number) <= INSTANCES_MAX
  if (!isCount) mistakes.push(`hosts.${host}.instances must be a number from 1 to ${INSTANCES_MAX}`)
  return { services: isList ? (services as string[]) : [], instances: isCount ? (instances as number) : 1 }
}

/** What is wrong with a placement for these services. */
export function mistakesIn(placement: Placement, services: readonly PlaceableService[]): readonly string[] {
  const mistakes: string[] = []
  const known = new Map(services.map((service) => [service.name, service]))
  const placed = new Map<string, string>()
  for (const [host, { services: names, instances }] of Object.entries(placement.hosts)) {
    for (const name of names) {
      const service = known.get(name)
      const other = placed.get(name)
      if (service === undefined) mistakes.push(`hosts.${host} names ${name}, which the app does not have`)
      else if (service.isSingle && instances > 1) mistakes.push(`hosts.${host}: ${name} can run once only`)
      if (service?.isOutside && names.length > 1)
        mistakes.push(`hosts.${host}: ${name} stands for the outside world and needs a host to itself`)
      if (other !== undefined) mistakes.push(`${name} is placed in ${other} and in ${host}`)
      placed.set(name, host)
    }
  }
  for (const { name } of services) if (!placed.has(name)) mistakes.push(`${name} is not placed`)
  return mistakes
}

/**
 * Host names in the order of starting: hosts of one wave need only what earlier waves have, and of each other nothing, but for
 * those that call each other in a circle: they start together.
 */
export function startWaves(
  placement: Placement,
  services: readonly PlaceableService[],
): readonly (readonly string[])[] {
  const hostOf = new Map<string, string>()
  for (const [host, { services: names }] of Object.entries(placement.hosts))
    for (const name of names) hostOf.set(name, host)
  const calls = new Map(services.map((service) => [service.name, service.calls]))
  const needs = new Map<string, Set<string>>()
  for (const [host, { services: names }] of Object.entries(placement.hosts)) {
    const needed = names.flatMap((name) => calls.get(name) ?? []).flatMap((name) => hostOf.get(name) ?? [])
    needs.set(host, new Set(needed.filter((other) => other !== host)))
  }
  const reach = new Map([...needs.keys()].map((host) => [host, reachedFrom(host, needs)]))
  const waves: string[][] = []
  const started = new Set<string>()
  // Every wave has a host: among those that wait, going on to what is needed ends in a host that needs nothing, or in a circle.
  while (started.size < needs.size) {
    const mayStart = (host: string): boolean =>
      [...(reach.get(host) ?? [])].every((other) => started.has(other) || reach.get(other)?.has(host))
    const wave = [...needs.keys()].filter((host) => !started.has(host) && mayStart(host))
    for (const host of wave) started.add(host)
    waves.push(wave)
  }
  return waves
}

/** Everything a host needs, and what that needs, and so on. */
function reachedFrom(host: string, needs: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  const reached = new Set(needs.get(host))
  // A set goes on to what is added while it is walked.
  for (const other of reached) for (const next of needs.get(other) ?? []) reached.add(next)
  return reached
}

/** The host that runs a service. */
export function hostOfService(placement: Placement, service: string): string | undefined {
  return Object.entries(placement.hosts).find(([, { services }]) => services.includes(service))?.[0]
}
