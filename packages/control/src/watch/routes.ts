/**
 * The routes of the gateway, with what is declared for each and how it does.
 *
 * @module
 */
import { describeAccess } from '@flotilla/core/access'
import { operationsOf } from '@flotilla/core/contract'
import type { Operation } from '@flotilla/core/operation'
import { pathPrefix } from '@flotilla/core/route'
import type { RouteInfo } from '../api/shapes.ts'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'
import { keyOf, lastOf, noFigures, ofGateway, redBy, type Window } from './figures.ts'
import type { SystemOptions } from './system-state.ts'

/** Every route, by path. Foreign servers are there once something was asked of them. */
export async function routesOf(
  { store, contracts }: Pick<SystemOptions, 'contracts'> & { readonly store: TelemetryStore },
  window: Window,
): Promise<RouteInfo[]> {
  const [figures, kept] = await Promise.all([
    redBy(store, ofGateway, ['operation'], window),
    store.series({
      ...window,
      name: 'flotilla_gateway_cache_requests_total',
      as: 'rate',
      by: ['operation', 'how'],
    }),
  ])
  const shareOf = (operation: string): number | undefined => {
    const its = kept.series.filter(({ labels }) => labels['operation'] === operation)
    const all = its.reduce((sum, line) => sum + lastOf(line), 0)
    if (all === 0) return undefined
    const hits = its.filter(({ labels }) => ['hit', 'stale'].includes(labels['how'] ?? ''))
    return hits.reduce((sum, line) => sum + lastOf(line), 0) / all
  }
  const own = contracts.flatMap(operationsOf).flatMap((operation): RouteInfo[] => {
    const { rest, id } = operation
    if (rest === undefined) return []
    const hitShare = shareOf(id)
    return [
      {
        method: rest.method,
        path: pathOf(operation),
        target: id,
        access: describeAccess(operation.access),
        timeoutMs: operation.timeoutMs,
        policies: policiesOf(operation),
        ...(figures.get(keyOf([id])) ?? noFigures),
        ...(hitShare === undefined ? {} : { hitShare }),
      },
    ]
  })
  const foreign = [...figures].flatMap(([key, its]): RouteInfo[] =>
    key.startsWith('upstream ')
      ? [
          {
            method: '*',
            path: '',
            target: key,
            access: '',
            timeoutMs: 0,
            policies: ['foreign server'],
            ...its,
          },
        ]
      : [],
  )
  return [...own.sort((a, b) => (a.path < b.path ? -1 : 1)), ...foreign]
}

/** Where clients find an operation; '' where they do not. */
export function pathOf({ rest, version }: Operation): string {
  return rest === undefined ? '' : `${pathPrefix(version, rest.isAtRoot)}${rest.path}`
}

/** What the contract says, in words. */
function policiesOf({ kind, criticality, cache, deprecated }: Operation): string[] {
  return [
    ...(cache === undefined ? [] : [`kept ${cache.maxAgeS} s, ${cache.scope}`]),
    ...(kind === 'stream' ? ['stream'] : []),
    // What most are.
    ...(criticality === 'critical' ? [] : [criticality]),
    ...(deprecated ? ['deprecated'] : []),
  ]
}
