/**
 * Where instances are: the view a client has, whoever provides it.
 *
 * @module
 */

/** One running instance of one service. */
export interface Instance {
  /** Name of the process; a restarted process has a new one. */
  readonly instance: string
  readonly service: string
  /** Of the code, for deploys. */
  readonly version: string
  /** Where it takes frames, as `formatAddress` writes it. */
  readonly frames: string
  /** Where it speaks HTTP, such as `http://127.0.0.1:4001`. */
  readonly http: string
  /** Where it runs: callers of the same zone prefer it. Absent: nowhere in particular. */
  readonly zone?: string
  /** How many calls it is meant to get, in relation to others. Absent: 1. */
  readonly weight?: number
}

/** What tells an instance from all others: a process may run several services. */
export function instanceKey({ service, instance }: Pick<Instance, 'service' | 'instance'>): string {
  return `${service}/${instance}`
}

/** A view of all instances. */
export interface Directory {
  /** Those of one service that may be called; the same array until something changes. */
  instancesOf(service: string): readonly Instance[]
  /** Tells that a call to an instance failed or timed out, so that somebody looks at it. */
  report(instance: Instance): void
}

/** A directory of instances that never change: none at all in a monolith, given ones in tests. */
export function fixedDirectory(instances: readonly Instance[]): Directory {
  const byService = groupByService(instances)
  return {
    instancesOf: (service) => byService.get(service) ?? none,
    report: () => {},
  }
}

const none: readonly Instance[] = []

/** Instances by the name of their service. */
export function groupByService(instances: Iterable<Instance>): Map<string, Instance[]> {
  const groups = new Map<string, Instance[]>()
  for (const instance of instances) {
    const group = groups.get(instance.service)
    if (group === undefined) groups.set(instance.service, [instance])
    else group.push(instance)
  }
  return groups
}
