/**
 * Ending a saga's waiting, also from where its service's sagas are not at hand, such as a reaction.
 *
 * @module
 */
import type { Queries } from '../store/queries.ts'
import { sql } from '../store/sql.ts'

/**
 * Has a saga that waits go on now, or not wait the next time it wants to. Does nothing when it has ended, is parked or does not
 * exist. An instance sees it within half a second; `Sagas.wake` is seen at once by its own.
 */
export async function wakeSaga(queries: Queries, id: string): Promise<void> {
  await queries.execute(sql`
    update flotilla.saga set woken = true, next_at = case when status = 'waiting' then now() end
    where id = ${id} and status in ('ready', 'running', 'waiting')`)
}
