/**
 * Waiting until nothing goes on any more: all sagas are over, all events told and handled, all mails sent.
 *
 * @module
 */
import { systemClock } from '@flotilla/core/clock'
import { sql } from '@flotilla/core/sql'
import { groupsOf, patternsOf, withOutbox } from './events.ts'
import type { World } from './world.ts'

/** What came of waiting. */
export interface Settled {
  readonly tookMs: number
  /** What still goes on, each with how many there are; none: it has settled. */
  readonly waitsFor: readonly string[]
}

const LOOK_AGAIN_MS = 500

/** What settled means. */
export interface SettleOptions {
  /** True: all parcels have arrived, too, which takes the carrier's time. Default false. */
  readonly isDelivered?: boolean
  /** Told now and then what is waited for. */
  readonly onWait?: (waitsFor: readonly string[]) => void
}

/** Waits, for at most `timeoutMs`. */
export async function settle(
  world: World,
  timeoutMs: number,
  { isDelivered = false, onWait }: SettleOptions = {},
): Promise<Settled> {
  const startMs = systemClock.monotonicMs()
  for (;;) {
    const waitsFor = await unsettled(world, isDelivered).catch((error: unknown) => [
      `a database that does not answer: ${error}`,
    ])
    const tookMs = systemClock.monotonicMs() - startMs
    if (waitsFor.length === 0 || tookMs > timeoutMs) return { tookMs, waitsFor }
    onWait?.(waitsFor)
    await systemClock.sleep(LOOK_AGAIN_MS)
  }
}

async function unsettled(world: World, isDelivered: boolean): Promise<readonly string[]> {
  const waits: string[] = []
  const note = async (service: string, what: string, query: ReturnType<typeof sql>): Promise<void> => {
    const [row] = await world.rows<{ left: number }>(service, query)
    if ((row?.left ?? 0) > 0) waits.push(`${row?.left} ${what} of ${service}`)
  }
  // What begins other things comes first, so that nothing is begun behind our back.
  await note(
    'orders',
    'sagas',
    sql`
    select count(*) as left from flotilla.saga where status not in ('completed', 'compensated', 'parked')`,
  )
  await note('payments', 'operations', sql`select count(*) as left from operation where state = 'pending'`)
  if (isDelivered) {
    await note(
      'shipping',
      'parcels',
      sql`select count(*) as left from shipment where status in ('pending', 'packed', 'shipped')`,
    )
  }
  for (const service of withOutbox(world)) {
    await note(service, 'events in the outbox', sql`select count(*) as left from flotilla.outbox`)
    await note(
      service,
      'parked events',
      sql`select count(*) as left from flotilla.parked where state <> 'dead'`,
    )
  }
  for (const [group, topics] of await groupsOf(world.services)) {
    const positions = await world.rows<{ partition: number; position: number }>(
      group,
      sql`select partition, position from flotilla.subscription where group_name = ${group}`,
    )
    const partitions = positions.map(({ partition }) => partition)
    await note(
      'events',
      `events that ${group} has not handled`,
      sql`
      select count(*) as left from event
      left join unnest(${partitions}::smallint[], ${positions.map(({ position }) => position)}::bigint[])
        as come (part, so_far) on part = partition
      where type like any(${patternsOf(topics)}::text[]) and position > coalesce(so_far, 0)`,
    )
  }
  await note('notifications', 'mails', sql`select count(*) as left from mail where status = 'pending'`)
  return waits
}
