/**
 * What there is to watch: services, the processes they are in, and what they promise.
 *
 * @module
 */
import type { Contract } from '@flotilla/core/contract'
import type { Supervisor } from '../supervisor/supervisor.ts'
import type { Placement } from '../topology/placement.ts'
import type { Target } from './collector.ts'

/** What a system is made of. */
export interface SystemOptions {
  readonly app: string
  readonly gateway: string
  readonly startedAt: string
  readonly placement: Placement
  readonly contracts: readonly Contract[]
  readonly supervisor: Pick<Supervisor, 'slotsOf'>
}

/** The processes of a service. */
export interface Instances {
  readonly hosts: readonly string[]
  readonly ready: number
  readonly wanted: number
}

/** The name of the one that faces clients. */
export const GATEWAY = 'gateway'

/** Every service that is placed, in the order of the placement. */
export function serviceNames({ placement }: Pick<SystemOptions, 'placement'>): readonly string[] {
  return [...new Set(Object.values(placement.hosts).flatMap(({ services }) => services))]
}

/** Where a service runs. */
export function instancesOf({ placement, supervisor }: SystemOptions, service: string): Instances {
  const hosts = Object.entries(placement.hosts).flatMap(([host, its]) =>
    its.services.includes(service) ? [host] : [],
  )
  const slots = hosts.flatMap((host) => supervisor.slotsOf(host))
  return { hosts, ready: slots.filter(({ state }) => state === 'ready').length, wanted: slots.length }
}

/** Every process, to be asked for its metrics. */
export function targetsOf({ placement, supervisor }: SystemOptions): readonly Target[] {
  return Object.keys(placement.hosts).flatMap((host) =>
    supervisor.slotsOf(host).map(({ name, instance, http, state }) => ({
      process: name,
      host,
      instance,
      http,
      isReady: state === 'ready',
    })),
  )
}
