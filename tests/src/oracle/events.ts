/**
 * 11: no event is lost, made up, or has its effects twice.
 *
 * @module
 */
import type { Queries } from '@flotilla/core/queries'
import { sql } from '@flotilla/core/sql'
import { app } from '@flotilla/shop/app'
import { seeOrders } from './orders.ts'
import { type Check, Finding, type Found } from './report.ts'
import type { World } from './world.ts'

const EVENTS = '11 No event is lost, made up, or handled twice'

/** The checks. */
export const eventChecks: readonly Check[] = [
  {
    invariant: EVENTS,
    says: 'positions of the log have no gaps; what is in it twice is the same event',
    holds: 'always',
    look: log,
  },
  {
    invariant: EVENTS,
    says: 'nothing waits in an outbox, or is parked',
    holds: 'settled',
    look: nothingWaits,
  },
  {
    invariant: EVENTS,
    says: 'every group has handled all events of its topics, once, and no others',
    holds: 'settled',
    look: groups,
  },
  {
    invariant: EVENTS,
    says: 'each key’s events were handled in their order',
    holds: 'settled',
    look: inOrder,
  },
  {
    invariant: EVENTS,
    says: 'the log tells of everything that happened, and of nothing else',
    holds: 'settled',
    look: facts,
  },
]

/** The groups of consumers, and their topics, from the services themselves. */
export async function groupsOf(services: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const groups = new Map<string, readonly string[]>()
  for (const service of services) {
    const { reactions } = (await app.services[service]?.()) ?? { reactions: [] }
    const topics = [...new Set(reactions.map(({ topic }) => topic))]
    if (topics.length > 0) groups.set(service, topics)
  }
  return groups
}

/** Topics as a condition of SQL: a name, all of a service (`orders.*`), or all there are (`*`). */
export function patternsOf(topics: readonly string[]): readonly string[] {
  return topics.map((topic) => (topic === '*' ? '%' : topic.replace(/\*$/, '%')))
}

/** Services that publish or react: those whose database has an outbox. */
export function withOutbox(world: World): readonly string[] {
  return world.services.filter((service) => service !== 'registry')
}

async function log(world: World): Promise<Found> {
  const finding = new Finding()
  const [row] = await world.rows<{ events: number; odd: number; span: number; head: number; last: number }>(
    'events',
    sql`
      select (select count(*) from (
          select id from event group by id having count(distinct concat_ws(' ', type, key, data::text)) > 1) as several) as odd,
        count(*) as events, coalesce(max(position) - min(position) + 1, 0) as span,
        coalesce(max(position), 0) as last, (select position from log_head) as head
      from event`,
  )
  const { events = 0, odd = 0, span = 0, head = 0, last = 0 } = row ?? {}
  finding.checked = events
  if (events !== span || last !== head) {
    finding.wrong('log', `${events} events in ${span} positions up to ${last} of ${head}`)
  }
  if (odd > 0) finding.wrong('log', `${odd} ids of different events`)
  return finding
}

async function nothingWaits(world: World): Promise<Found> {
  const finding = new Finding()
  for (const service of withOutbox(world)) {
    const [row] = await world.rows<{ waiting: number; parked: number }>(
      service,
      sql`select (select count(*) from flotilla.outbox) as waiting, (select count(*) from flotilla.parked) as parked`,
    )
    const { waiting = 0, parked = 0 } = row ?? {}
    finding.expect(waiting === 0, service, `${waiting} events in the outbox`)
    finding.expect(parked === 0, service, `${parked} events are parked`)
  }
  return finding
}

interface Handled {
  readonly id: string
  readonly handledAt: string
}

const handled = (queries: Queries, group: string): Promise<Handled[]> =>
  queries.many<Handled>(sql`
    select event_id as id, handled_at as "handledAt" from flotilla.inbox where group_name = ${group}`)

interface Logged {
  readonly id: string
  readonly key: string
}

const published = (world: World, topics: readonly string[]): Promise<Logged[]> =>
  world.rows<Logged>(
    'events',
    // Who sends does not always learn that it has arrived, and sends again: the first time counts.
    sql`
      select id, key from event where type like any(${patternsOf(topics)}::text[])
      group by id, key order by min(position)`,
  )

async function groups(world: World): Promise<Found> {
  const finding = new Finding()
  for (const [group, topics] of await groupsOf(world.services)) {
    const told = await published(world, topics)
    const inbox = new Set((await world.read(group, (queries) => handled(queries, group))).map(({ id }) => id))
    for (const { id, key } of told) finding.expect(inbox.delete(id), [id, key], `${group} has not handled it`)
    for (const id of inbox) finding.wrong(id, `${group} has handled what was never published`)
  }
  return finding
}

async function inOrder(world: World): Promise<Found> {
  const finding = new Finding()
  for (const [group, topics] of await groupsOf(world.services)) {
    const rows = await world.read(group, (queries) => handled(queries, group))
    const times = new Map(rows.map(({ id, handledAt }) => [id, handledAt]))
    const last = new Map<string, string>()
    for (const { id, key } of await published(world, topics)) {
      const at = times.get(id) ?? ''
      finding.expect(at >= (last.get(key) ?? ''), [id, key], `${group} has handled it before an earlier one`)
      last.set(key, at)
    }
  }
  return finding
}

/** What events of orders tell of it, by the type of change. */
const TOLD: Readonly<Record<string, string>> = {
  placed: 'orders.placed',
  confirmed: 'orders.confirmed',
  rejected: 'orders.rejected',
  expired: 'orders.expired',
  cancelled: 'orders.cancelled',
  abandoned: 'orders.cancelled',
  refunded: 'orders.refunded',
}

async function facts(world: World): Promise<Found> {
  const happened = new Map<string, number>()
  const note = (fact: string): unknown => happened.set(fact, (happened.get(fact) ?? 0) + 1)
  for (const { id, types } of (await seeOrders(world)).values()) {
    for (const type of types) if (TOLD[type] !== undefined) note(`${TOLD[type]} ${id}`)
  }
  for (const { sku, version } of await world.rows<{ sku: string; version: number }>(
    'inventory',
    sql`select sku, version from movement`,
  )) {
    note(`inventory.stockChanged ${sku} ${version}`)
  }
  for (const { id, hasLeft, hasArrived } of await world.rows<{
    id: string
    hasLeft: boolean
    hasArrived: boolean
  }>(
    'shipping',
    sql`select order_id as id, shipped_at is not null as "hasLeft", delivered_at is not null as "hasArrived" from shipment`,
  )) {
    if (hasLeft) note(`shipping.shipped ${id}`)
    if (hasArrived) note(`shipping.delivered ${id}`)
  }
  const told = await world.rows<{ id: string; fact: string }>(
    'events',
    sql`
      select distinct id,
        concat(type, ' ', key, case when type = 'inventory.stockChanged' then ' ' || (data ->> 'version') end) as fact
      from event where type like 'orders.%' or type like 'shipping.%' or type = 'inventory.stockChanged'`,
  )
  const finding = new Finding()
  for (const { id, fact } of told) {
    const left = happened.get(fact) ?? 0
    finding.expect(left > 0, id, `${fact} was told, and did not happen (so often)`)
    if (left === 1) happened.delete(fact)
    else happened.set(fact, left - 1)
  }
  for (const fact of happened.keys()) finding.wrong(fact, 'it happened, and nobody was told')
  return finding
}
