/**
 * The log as people look at it: searches, each bounded.
 *
 * @module
 */

import type { LoggedEvent } from '@flotilla/core/event-log'
import type { eventLog } from '@flotilla/core/event-log-contract'
import type { InputOf } from '@flotilla/core/operation'
import type { Session } from '@flotilla/core/session'
import { type Sql, sql } from '@flotilla/core/sql'
import { type EventRow, loggedOf } from './event-row.ts'

const columns = sql`position, partition, id, type, version, source, "time", key, correlation_id, causation_id, traceparent,
  data`
const LIMIT_DEFAULT = 50
/** An event has as many copies at most as its producer tried to append it: more are of no interest. */
const COPIES_MAX = 100
const TOPICS_MAX = 1_000

/** As `read` of the contract. */
export async function readEvents(
  db: Session,
  { topic = '*', key, after, before, limit = LIMIT_DEFAULT }: InputOf<typeof eventLog.operations.read>,
): Promise<LoggedEvent[]> {
  const conditions: Sql[] = [sql`true`]
  if (topic.endsWith('.*')) {
    const source = topic.slice(0, -2)
    // As a range of types, for which there is an index; '/' comes after '.'.
    conditions.push(sql`type > ${`${source}.`} and type < ${`${source}/`}`)
  } else if (topic !== '*') conditions.push(sql`type = ${topic}`)
  if (key !== undefined) conditions.push(sql`key = ${key}`)
  if (after !== undefined) conditions.push(sql`position > ${after}`)
  if (before !== undefined) conditions.push(sql`position < ${before}`)
  const order = after === undefined ? sql`desc` : sql`asc`
  const rows = await db.many<EventRow>(
    sql`select ${columns} from event where ${sql.join(conditions, sql` and `)} order by position ${order} limit ${limit}`,
  )
  return rows.map(loggedOf)
}

/** As `find` of the contract. */
export async function findEvent(db: Session, id: string): Promise<LoggedEvent[]> {
  const rows = await db.many<EventRow>(
    sql`select ${columns} from event where id = ${id} order by position limit ${COPIES_MAX}`,
  )
  return rows.map(loggedOf)
}

/** A kind of event that is kept, and its newest. */
export interface TopicRow {
  readonly topic: string
  readonly position: number
  readonly time: string
}

/** As `topics` of the contract: from one type to the next by the index, however many events there are of each. */
export function listTopics(db: Session): Promise<TopicRow[]> {
  return db.many<TopicRow>(sql`
    with recursive topic as (
      (select type from event order by type limit 1)
      union all
      select (select type from event where type > topic.type order by type limit 1) from topic where topic.type is not null
    )
    select topic.type as topic, newest.position, newest."time" from topic
    cross join lateral (
      select position, "time" from event where type = topic.type order by position desc limit 1
    ) newest
    order by topic.type limit ${TOPICS_MAX}`)
}
