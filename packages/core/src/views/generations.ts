/**
 * The generations of views in the database: made, switched, compared, dropped. What they are is told in `view.ts`.
 *
 * Every change of a view locks its row in `flotilla.view` first.
 *
 * @module
 */
import { FlotillaError } from '../kernel/error.ts'
import type { Queries } from '../store/queries.ts'
import type { Session } from '../store/session.ts'
import { sql } from '../store/sql.ts'
import type { Transaction } from '../store/transaction.ts'
import { enterSchema, generationSchema, schemaOf, type View } from './view.ts'

/** The row of a view. */
export interface ViewRow {
  readonly name: string
  /** Generation that queries see, and the version of the code that folds it. */
  readonly live: number
  readonly liveVersion: number
  readonly building: number | null
  readonly buildingVersion: number | null
  readonly lastGeneration: number
}

/** How far a group of consumers has come. */
export interface Standing {
  /** By partition; an absent one stands at 0. */
  readonly positions: ReadonlyMap<number, number>
  /** Events it could not fold. */
  readonly parked: number
  /** The log had forgotten events up to here when they were wanted; 0: none. */
  readonly missedUpTo: number
}

/** What views need of consumers of the event log, in the same database. */
export interface Standings {
  /** @param isHeld true: nobody moves it until the transaction ends. */
  standing(tx: Transaction, group: string, isHeld: boolean): Promise<Standing>
  /** Forgets a group: its positions and what it parked. Those that still run for it can commit nothing any more. */
  forget(tx: Transaction, group: string): Promise<void>
}

/**
 * A query that the tables are locked against waits no longer than this behind the switch, which is then tried again. Below
 * PostgreSQL's `deadlock_timeout`, so it is never the query that gives way.
 */
const LOCK_WAIT = '200ms'

/** Positions that a generation may be behind, for the live one to wait for it. */
const NEAR = 10_000
/** The live one waits at most half a second: so many looks, this far apart. */
const HELD_LOOKS = 50
const LOOK_S = 0.01

const COLUMNS = sql`name, live, live_version as "liveVersion", building, building_version as "buildingVersion",
  last_generation as "lastGeneration"`

/** All views of the database, also those that the code no longer knows. */
export function readViews(queries: Queries): Promise<ViewRow[]> {
  return queries.many<ViewRow>(sql`select ${COLUMNS} from flotilla.view order by name`)
}

/** Makes sure that the view exists, and that one of its generations, live or building, is of the code's version. */
export function ensureView(session: Session, view: View, standings: Standings): Promise<ViewRow> {
  return session.transaction(async (tx) => {
    const created = await tx.execute(sql`
      insert into flotilla.view (name, live, live_version, last_generation) values (${view.name}, 1, ${view.version}, 1)
      on conflict do nothing`)
    if (created === 1) {
      await createTables(tx, view, 1)
      await show(tx, view.name, 1)
    }
    const row = await lockView(tx, view.name)
    if (row.liveVersion === view.version || row.buildingVersion === view.version) return row
    // What yet another version was building is given up.
    if (row.building !== null) await drop(tx, view.name, row.building, standings)
    return build(tx, view, row)
  })
}

/**
 * Begins a new generation of the code's version beside the live one; it becomes live by itself.
 *
 * @throws FlotillaError `failed_precondition` when one is being built.
 */
export function rebuildView(session: Session, view: View): Promise<ViewRow> {
  return session.transaction(async (tx) => {
    const row = await lockView(tx, view.name)
    if (row.building === null) return build(tx, view, row)
    throw new FlotillaError('failed_precondition', `A generation of ${view.name} is being built.`, {
      executed: 'no',
    })
  })
}

/**
 * Makes the building generation the live one, if it is nowhere behind it; true when it did. The live one is held still
 * meanwhile, and dropped.
 *
 * @throws FlotillaError `aborted` when queries were in the way; to be tried again.
 */
export function switchView(session: Session, name: string, standings: Standings): Promise<boolean> {
  return session.transaction(async (tx) => {
    await tx.execute(sql`select set_config('lock_timeout', ${LOCK_WAIT}, true)`)
    const { live, building, buildingVersion } = await lockView(tx, name)
    if (building === null || !(await hasCaughtUp(tx, name, { live, building }, standings))) return false
    await show(tx, name, building)
    await drop(tx, name, live, standings)
    await tx.execute(sql`
      update flotilla.view set live = ${building}, live_version = ${buildingVersion}, building = null, building_version = null,
        switched_at = now() where name = ${name}`)
    return true
  })
}

/** Gives up the generation that is being built, if there is one. */
export function abandonBuilding(session: Session, name: string, standings: Standings): Promise<void> {
  return session.transaction(async (tx) => {
    const { building } = await lockView(tx, name)
    if (building === null) return
    await drop(tx, name, building, standings)
    await tx.execute(
      sql`update flotilla.view set building = null, building_version = null where name = ${name}`,
    )
  })
}

/** A comparison of a view with its rebuild. */
export interface Comparison {
  readonly isSame: boolean
  readonly live: string
  readonly building: string
}

/**
 * Compares the contents of the live generation with those of the one that is being built, at the same positions; both are held
 * still meanwhile. Undefined: none is being built, or they do not stand at the same positions (yet).
 */
export function compareWithBuilding(
  session: Session,
  name: string,
  standings: Standings,
): Promise<Comparison | undefined> {
  return session.transaction(async (tx) => {
    const { live, building } = await lockView(tx, name)
    if (building === null) return undefined
    const old = await standings.standing(tx, generationSchema(name, live), true)
    const young = await standings.standing(tx, generationSchema(name, building), true)
    if (lagBehind(old, young) + lagBehind(young, old) > 0) return undefined
    const hashes = {
      live: await contentHash(tx, generationSchema(name, live)),
      building: await contentHash(tx, generationSchema(name, building)),
    }
    return { isSame: hashes.live === hashes.building, ...hashes }
  })
}

/** A hash of everything in the tables of `schema`: the same rows give the same one, in whatever order they came. */
export async function contentHash(queries: Queries, schema: string): Promise<string> {
  const hashes: string[] = []
  for (const table of await tablesOf(queries, schema)) {
    const { hash } = await queries.one<{ hash: string }>(sql`
      select md5(coalesce(string_agg(md5(t::text), '' order by t::text collate "C"), '')) as hash
      from ${sql.identifier(schema, table)} t`)
    hashes.push(`${table}:${hash}`)
  }
  return hashes.join(' ')
}

/**
 * First a look that disturbs nobody. When little is missing, the live one is held still until the building one has come to
 * where it stands: otherwise one that is a step behind would stay so for as long as there are events.
 */
async function hasCaughtUp(
  tx: Transaction,
  name: string,
  { live, building }: { readonly live: number; readonly building: number },
  standings: Standings,
): Promise<boolean> {
  const lag = async (old: Standing): Promise<number> =>
    lagBehind(old, await standings.standing(tx, generationSchema(name, building), false))
  if ((await lag(await standings.standing(tx, generationSchema(name, live), false))) > NEAR) return false
  const held = await standings.standing(tx, generationSchema(name, live), true)
  for (let look = 0; look < HELD_LOOKS; look++) {
    if ((await lag(held)) === 0) return true
    await tx.execute(sql`select pg_sleep(${LOOK_S})`)
  }
  return false
}

/**
 * How many positions `young` is behind `old`, summed over the partitions; infinite when it has not begun, and when it will never
 * be what `old` is: it has events parked, or lacks events that the log had forgotten and `old` has seen.
 */
function lagBehind(old: Standing, young: Standing): number {
  const lacks = young.parked > 0 || young.missedUpTo > old.missedUpTo
  if (young.positions.size === 0 || lacks) return Number.POSITIVE_INFINITY
  let lag = 0
  for (const [partition, position] of old.positions)
    lag += Math.max(0, position - (young.positions.get(partition) ?? 0))
  return lag
}

async function lockView(tx: Transaction, name: string): Promise<ViewRow> {
  const row = await tx.maybe<ViewRow>(
    sql`select ${COLUMNS} from flotilla.view where name = ${name} for update`,
  )
  if (row === undefined) throw new FlotillaError('not_found', `There is no view ${name}.`, { executed: 'no' })
  return row
}

async function build(tx: Transaction, view: View, row: ViewRow): Promise<ViewRow> {
  const generation = row.lastGeneration + 1
  await createTables(tx, view, generation)
  return tx.one<ViewRow>(sql`
    update flotilla.view set building = ${generation}, building_version = ${view.version}, last_generation = ${generation}
    where name = ${view.name} returning ${COLUMNS}`)
}

async function createTables(tx: Transaction, view: View, generation: number): Promise<void> {
  const schema = generationSchema(view.name, generation)
  await tx.execute(sql`create schema ${sql.identifier(schema)}`)
  await enterSchema(tx, schema)
  for (const statement of view.tables) await tx.execute(statement)
}

/** Lets the schema that queries ask show the tables of `generation`. */
async function show(tx: Transaction, name: string, generation: number): Promise<void> {
  const from = generationSchema(name, generation)
  await dropSchema(tx, schemaOf(name))
  await tx.execute(sql`create schema ${sql.identifier(schemaOf(name))}`)
  for (const table of await tablesOf(tx, from)) {
    await tx.execute(sql`
      create view ${sql.identifier(schemaOf(name), table)} as select * from ${sql.identifier(from, table)}`)
  }
}

async function drop(tx: Transaction, name: string, generation: number, standings: Standings): Promise<void> {
  const schema = generationSchema(name, generation)
  await standings.forget(tx, schema)
  await dropSchema(tx, schema)
}

async function dropSchema(tx: Transaction, schema: string): Promise<void> {
  await tx.execute(sql`drop schema if exists ${sql.identifier(schema)} cascade`)
}

async function tablesOf(queries: Queries, schema: string): Promise<string[]> {
  const rows = await queries.many<{ name: string }>(sql`
    select relname::text as name from pg_catalog.pg_class
    where relnamespace = to_regnamespace(${schema}) and relkind = 'r' order by relname collate "C"`)
  return rows.map(({ name }) => name)
}
