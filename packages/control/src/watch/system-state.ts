/**
 * What there is to watch: services, the processes they are in, and what they promise.
 *
 * @module
 */
import type { Contract } from '@flotilla/core/contract'
import type { Fleet, ProcessState } from '../supervisor/fleet.ts'
import type { Placement } from '../topology/placement.ts'
import type { Target } from './collector.ts'

/** What a system is made of. */
export interface SystemOptions {
  readonly app: string
  readonly gateway: string
  readonly startedAt: string
  readonly placement: Placement
  readonly contracts: readonly Contract[]
  readonly fleet: Pick<Fleet, 'processes'>
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

/** Everybody calls these, for what is drawn as events or goes without saying. */
export const PLATFORM: ReadonlySet<string> = new Set(['registry', 'events'])

/** Everybody of the system who has spans; what belongs to no service is the app's. */
export function ownNames(system: Pick<SystemOptions, 'placement' | 'app'>): readonly string[] {
  return [...serviceNames(system), ...PLATFORM, system.app]
}

/** Every process that runs services, by host in the order of the placement. */
export function placedProcesses({
  placement,
  fleet,
}: Pick<SystemOptions, 'placement' | 'fleet'>): readonly ProcessState[] {
  return fleet.processes.filter(({ host }) => Object.hasOwn(placement.hosts, host))
}

/** Where a service runs. */
export function instancesOf(system: SystemOptions, service: string): Instances {
  const hosts = Object.entries(system.placement.hosts).flatMap(([host, { services }]) =>
    services.includes(service) ? [host] : [],
  )
  const its = placedProcesses(system).filter(({ host }) => hosts.includes(host))
  return { hosts, ready: its.filter(({ state }) => state === 'ready').length, wanted: its.length }
}

/** Those of them to be asked for their metrics. One that is on its way for the first time is not missed yet. */
export function targetsOf(system: SystemOptions): readonly Target[] {
  return placedProcesses(system)
    .filter(({ state, starts }) => state !== 'starting' || starts > 1)
    .map(({ name, host, instance, http, state }) => ({
      process: name,
      host,
      instance,
      http,
      isReady: state === 'ready',
    }))
}
