/**
 * What the control API does with sagas, in the databases of all services.
 *
 * @module
 */
import type { FlotillaError } from '@flotilla/core/error'
import { listSagas, retrySaga, type SagaHistory, showSaga } from '@flotilla/core/saga-admin'
import type { Handlers } from '@flotilla/core/service'
import { type controlContract, LISTED_MAX, type SagaInfo } from './contract.ts'
import type { AdminContext, ServiceDatabases } from './databases.ts'

type SagaHandlers = Pick<Handlers<typeof controlContract>, 'sagas' | 'saga' | 'retrySaga'>

/** An operation about one saga. */
interface SagaContext extends AdminContext {
  fail(reason: 'no_service' | 'no_saga' | 'several', detail: string): FlotillaError
}

/** The handlers. */
export function sagaHandlers(databases: ServiceDatabases): SagaHandlers {
  /** A saga, and whose it is: looked for in all services unless one is named. */
  const find = async (
    id: string,
    service: string | undefined,
    ctx: SagaContext,
  ): Promise<SagaHistory & { readonly service: string }> => {
    const found: (SagaHistory & { readonly service: string })[] = []
    for (const name of service === undefined ? databases.services : [service]) {
      const saga = await databases.with(name, ctx, (session) => showSaga(session, id))
      if (saga !== undefined) found.push({ ...saga, service: name })
    }
    const [saga] = found
    if (saga === undefined) throw ctx.fail('no_saga', `There is no saga ${id}.`)
    if (found.length === 1) return saga
    throw ctx.fail('several', `Sagas of ${found.map((one) => one.service).join(' and ')} have the id ${id}.`)
  }
  return {
    async sagas({ service, status, limit = LISTED_MAX }, ctx) {
      const items: SagaInfo[] = []
      const filter = { limit: limit + 1, ...(status === undefined ? {} : { status }) }
      for (const name of service === undefined ? databases.services : [service]) {
        const page = await databases.with(name, ctx, (session) => listSagas(session, filter))
        items.push(...page.items.map((saga) => ({ ...saga, service: name })))
      }
      items.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
      return { items: items.slice(0, limit), hasMore: items.length > limit }
    },
    async saga({ id, service }, ctx) {
      const { entries, ...saga } = await find(id, service, ctx)
      return { ...saga, entries: [...entries] }
    },
    async retrySaga({ id, service }, ctx) {
      const saga = await find(id, service, ctx)
      const isRetried = await databases.with(saga.service, ctx, (session) => retrySaga(session, id))
      if (!isRetried) throw ctx.fail('not_parked', `The saga ${id} is not parked; it is ${saga.status}.`)
      ctx.log.info('a parked saga goes on', {
        audit: 'retry saga',
        user: ctx.user.id,
        saga: id,
        of: saga.service,
      })
      return { service: saga.service }
    },
  }
}
