/**
 * How the parts of the log come by its database.
 *
 * @module
 */
import type { Session } from '@flotilla/core/session'

/** Uses the log's database for a while, with a deadline of its own. */
export type UseDatabase = <T>(work: (db: Session) => Promise<T>) => Promise<T>
