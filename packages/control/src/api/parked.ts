/**
 * What the control API does with parked events, in the databases of all services.
 *
 * An event that failed is named by the service and its number there: `search:12`.
 *
 * @module
 */
import { listParked, redriveParked, showParked } from '@flotilla/core/parked-admin'
import type { Handlers } from '@flotilla/core/service'
import { type controlContract, LISTED_MAX, type ParkedInfo } from './contract.ts'
import type { ServiceDatabases } from './databases.ts'

type ParkedHandlers = Pick<Handlers<typeof controlContract>, 'parked' | 'parkedEvent' | 'redrive'>

/** The handlers. */
export function parkedHandlers(databases: ServiceDatabases): ParkedHandlers {
  return {
    async parked({ service, limit = LISTED_MAX }, ctx) {
      const items: ParkedInfo[] = []
      for (const name of service === undefined ? databases.services : [service]) {
        const found = await databases.with(name, ctx, (session) => listParked(session, limit + 1))
        items.push(...found.map((event) => ({ ...event, service: name, id: idOf(name, event.id) })))
      }
      const rank = ({ state, parkedAt }: ParkedInfo): string => `${state === 'dead' ? 0 : 1} ${parkedAt}`
      items.sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
      return { items: items.slice(0, limit), hasMore: items.length > limit }
    },
    async parkedEvent({ id }, ctx) {
      const { service, number } = readId(id)
      const found = await databases.with(service, ctx, (session) => showParked(session, number))
      if (found === undefined) throw ctx.fail('not_parked', `${id} is not parked, or not any more.`)
      return { ...found, service, id }
    },
    async redrive({ which }, ctx) {
      const redriven: string[] = []
      for (const [service, numbers] of byService(which, databases.services)) {
        const done = await databases.with(service, ctx, (session) => redriveParked(session, numbers))
        redriven.push(...done.map((number) => idOf(service, number)))
      }
      ctx.log.info('parked events are tried again', { audit: 'redrive', user: ctx.user.id, which, redriven })
      return { redriven }
    },
  }
}

/** What is to be tried again in which service. */
function byService(
  which: readonly string[] | { readonly allOf: string } | 'all',
  services: readonly string[],
): ReadonlyMap<string, number[] | 'all'> {
  if (which === 'all') return new Map(services.map((service) => [service, 'all']))
  if ('allOf' in which) return new Map([[which.allOf, 'all']])
  const numbers = new Map<string, number[]>()
  for (const { service, number } of which.map(readId))
    numbers.set(service, [...(numbers.get(service) ?? []), number])
  return numbers
}

function idOf(service: string, number: number): string {
  return `${service}:${number}`
}

function readId(id: string): { readonly service: string; readonly number: number } {
  const [service = '', number] = id.split(':')
  return { service, number: Number(number) }
}
