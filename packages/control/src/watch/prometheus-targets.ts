/**
 * The processes of a system as a Prometheus asks for them, so that it follows restarts and scaling.
 *
 * Who ended is told with the address it had until there is a new one: a process that is away must be one that does not answer (`up` is 0),
 * not one that nobody asks.
 *
 * @source https://prometheus.io/docs/prometheus/latest/http_sd/
 * @module
 */
import type { Page } from '@flotilla/core/http-server'
import { CONTROL, type Target } from './collector.ts'

/** Where a Prometheus asks. */
export const TARGETS_PATH = '/prometheus/targets'

interface Known {
  readonly address: string
  readonly labels: Readonly<Record<'process' | 'host' | 'instance', string>>
}

/** Makes the answer, for who reached this process at `own`, such as `127.0.0.1:8090`. The labels are those of our own series. */
export function prometheusTargets(targets: () => readonly Target[]): (own: string) => Page {
  /** By process, of those that are still to be. */
  let known: ReadonlyMap<string, Known> = new Map()
  return (own) => {
    const control = { process: CONTROL, host: CONTROL, instance: CONTROL }
    known = new Map(
      targets().flatMap(({ process, host, instance, http }) => {
        const its =
          http === ''
            ? known.get(process)
            : { address: new URL(http).host, labels: { process, host, instance } }
        return its === undefined ? [] : [[process, its] as const]
      }),
    )
    const all = [{ address: own, labels: control }, ...known.values()]
    const body = JSON.stringify(all.map(({ address, labels }) => ({ targets: [address], labels })))
    return { status: 200, contentType: 'application/json', body }
  }
}
