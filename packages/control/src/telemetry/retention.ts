/**
 * What goes when it is too old or too much: always the oldest, and of all kinds up to the same time, so that a trace, its lines and the
 * figures of its time stay and go together.
 *
 * @module
 */
import { statSync } from 'node:fs'
import type { SeriesIndex } from './series-index.ts'
import { rowKinds, type TelemetryDatabase, timeColumns } from './telemetry-database.ts'

/** How long and how much is kept. */
export interface Retention {
  /** What is older goes; microseconds since 1970. Absent: nothing goes for its age this time. */
  readonly tooOldUs?: number | undefined
  /** What the file may use. When it is more, the oldest tenth of all rows goes. */
  readonly bytesMax: number
  /** Where what was written last is; it counts, too. */
  readonly walPath: string
}

const ASK_MS = 10_000

/** Removes what has to go; gives the time before which everything went, in microseconds since 1970, if anything did. */
export async function removeOld(
  database: TelemetryDatabase,
  { tooOldUs, bytesMax, walPath }: Retention,
): Promise<number | undefined> {
  const removedUs = tooOldUs === undefined ? undefined : await removeAged(database, tooOldUs)
  if ((await usedBytes(database, walPath)) <= bytesMax) return removedUs
  // Much of it may be what was written last, which shrinks to a part when it goes into the tables.
  await checkpoint(database)
  if ((await usedBytes(database, walPath)) <= bytesMax) return removedUs
  const oldestUs = await oldestOf(database)
  if (oldestUs === undefined) return removedUs
  const times = rowKinds.map((kind) => `select ${timeColumns[kind]} as t from ${kind}`).join(' union all ')
  const [cut] = await database.ask<{ us: number }>(
    `select approx_quantile(t, 0.1)::double as us from (${times})`,
    [],
    ASK_MS,
  )
  const cutUs = Math.max(cut?.us ?? 0, oldestUs + 1)
  await removeBefore(database, cutUs)
  return cutUs
}

/** Removes series that have no sample any more. */
export async function removeSeries(database: TelemetryDatabase, series: SeriesIndex): Promise<void> {
  const kept = await database.ask<{ id: number }>('select distinct series as id from samples', [], ASK_MS)
  const gone = series.keepOnly(new Set(kept.map(({ id }) => id)))
  if (gone.length > 0) await database.change(`delete from series where id in (${gone.join(',')})`)
}

async function removeAged(database: TelemetryDatabase, tooOldUs: number): Promise<number | undefined> {
  const oldestUs = await oldestOf(database)
  if (oldestUs === undefined || oldestUs >= tooOldUs) return undefined
  await removeBefore(database, tooOldUs)
  return tooOldUs
}

async function removeBefore(database: TelemetryDatabase, timeUs: number): Promise<void> {
  for (const kind of rowKinds)
    await database.change(`delete from ${kind} where ${timeColumns[kind]} < ${Math.trunc(timeUs)}`)
  await checkpoint(database)
}

/** Gives the space of what was removed to what comes. */
async function checkpoint(database: TelemetryDatabase): Promise<void> {
  await database.change('checkpoint').catch(() => {
    // Not while somebody reads: the next one does, or one that is made by itself after some more rows.
  })
}

/** Without what is free in the file. */
async function usedBytes(database: TelemetryDatabase, walPath: string): Promise<number> {
  const [size] = await database.ask<{ bytes: number }>(
    "select (used_blocks * block_size)::double as bytes from pragma_database_size() where database_name = 'store'",
    [],
    ASK_MS,
  )
  return (size?.bytes ?? 0) + (statSync(walPath, { throwIfNoEntry: false })?.size ?? 0)
}

async function oldestOf(database: TelemetryDatabase): Promise<number | undefined> {
  const rows = await Promise.all(
    rowKinds.map((kind) =>
      database.ask<{ us: number | null }>(
        `select min(${timeColumns[kind]})::double as us from ${kind}`,
        [],
        ASK_MS,
      ),
    ),
  )
  const times = rows.flatMap(([row]) => row?.us ?? [])
  return times.length === 0 ? undefined : Math.min(...times)
}
