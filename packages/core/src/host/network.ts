/**
 * A host's way to other services: which are here, where the others are, and the client that reaches both.
 *
 * @module
 */
import { Client } from '../client/client.ts'
import type { Calls } from '../contract/calls.ts'
import { anonymous } from '../kernel/caller.ts'
import { Cancellation } from '../kernel/cancellation.ts'
import type { CallContext, Ports } from '../kernel/context.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import type { KeyValue } from '../key-value/key-value.ts'
import { registryContract } from '../registry/contract.ts'
import { type Directory, fixedDirectory, type Instance } from '../registry/directory.ts'
import { RegistryDirectory } from '../registry/registry-directory.ts'
import type { Service } from '../service/definition.ts'
import { directChannel } from '../wire/direct.ts'
import { openFramesChannel } from '../wire/frames/frames-channel.ts'
import { type Address, parseAddress } from '../wire/wire.ts'
import { openKeyValue } from './open-key-value.ts'
import type { HostParts } from './parts.ts'

/** The way to other services. */
export interface Network {
  readonly client: Client
  /** Instances of a service, as far as is known. */
  readonly instancesOf: (service: string) => readonly Instance[]
  /** What instances of a service share. */
  readonly keyValueOf: (service: string) => KeyValue
  /** The registry's functions, called as one of the host's services. Absent: there is no registry to join. */
  readonly registryCalls:
    | ((service: string, cancellation: Cancellation) => Calls<typeof registryContract>)
    | undefined
  /** To be called when the services of the host are open: if the registry is one of them, it can be asked from then on. */
  followOwnRegistry(): Promise<void>
  /** Follows the registry no more; the list of instances stays. */
  stopFollowing(): Promise<void>
}

/** How long to wait for the registry's first list: services open in any order, and their calls wait for each other. */
const FIRST_LIST_MS = 2_000

/** Opens the network for a host that runs `services`. */
export async function openNetwork(parts: HostParts, services: readonly Service[]): Promise<Network> {
  const { settings, ports, trust, wheel, closing } = parts
  const names = services.map(({ contract }) => contract.name)
  const local = directChannel(parts.receiver, settings.isolation)
  // The directory calls the registry through the client, and the client finds it through the directory.
  let directory: Directory = fixedDirectory([])
  let following: RegistryDirectory | undefined
  const client = new Client({
    ...parts,
    self: settings,
    directory: {
      instancesOf: (service) => directory.instancesOf(service),
      report: (instance) => directory.report(instance),
    },
    localChannel: (service) => (names.includes(service) ? local : undefined),
    openChannel: (instance) =>
      openFramesChannel({
        address: parseAddress(instance.frames) as Address,
        clock: ports.clock,
        wheel,
        callers: names,
        credential: trust.credential,
      }),
  })
  closing.defer('channels', () => client.close())
  const registryCalls = (
    service: string,
    cancellation = new Cancellation(),
  ): Calls<typeof registryContract> =>
    client.calls(registryContract, ownContext(ports, cancellation), service)
  const follow = async (): Promise<void> => {
    const opened = followRegistry(parts, (cancellation) => registryCalls(names[0] as string, cancellation))
    directory = opened
    following = opened
    closing.defer('list of instances', () => opened.close())
    await opened.open(FIRST_LIST_MS)
  }
  const isHere = names.includes(registryContract.name)
  if (settings.registry !== '' && !isHere) await follow()
  const hasRegistry = settings.registry !== '' || isHere
  return {
    client,
    instancesOf: (service) => directory.instancesOf(service),
    keyValueOf: await openKeyValue(parts, hasRegistry ? registryCalls : undefined),
    registryCalls: hasRegistry ? registryCalls : undefined,
    followOwnRegistry: async () => {
      if (isHere) await follow()
    },
    stopFollowing: async () => following?.close(),
  }
}

function followRegistry(
  parts: HostParts,
  registry: (cancellation?: Cancellation) => Calls<typeof registryContract>,
): RegistryDirectory {
  const { settings, ports, metrics, log } = parts
  const stale = metrics.gauge('flotilla_registry_stale', '1 while the list of instances may be old.').with()
  return new RegistryDirectory({
    clock: ports.clock,
    random: ports.random,
    registry: registryInstance(settings.registry),
    watch: (cancellation) => registry(cancellation).watch(),
    report: ({ service, instance }) => {
      registry()
        .report({ service, instance })
        .catch((error: unknown) => log.debug('a report did not reach the registry', { error }))
    },
    onStale: (isStale, error) => {
      stale.set(isStale ? 1 : 0)
      if (isStale) log.warn('the registry is away; going on with the last list', { error })
      else log.info('the list of instances is fresh')
    },
  })
}

function registryInstance(frames: string): Instance {
  return { instance: 'registry', service: registryContract.name, version: '', frames, http: '' }
}

/** The context of calls a process makes for its own sake. */
export function ownContext(ports: Ports, cancellation: Cancellation): CallContext {
  return {
    caller: anonymous,
    deadlineMs: Number.POSITIVE_INFINITY,
    trace: TraceContext.open(ports.random, false),
    criticality: 'critical_plus',
    cancellation,
  }
}
