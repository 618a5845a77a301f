/**
 * Read models as folds of events: a view is a few tables that follow from the event log and from nothing else, so they
 * can be made again at any time, and then must be the same.
 *
 * **A generation** is one life of a view: its tables, in a schema of their own (`view_<name>__<n>`), and a group of
 * consumers of its own (the same name), which began at position 0. Tables and position are in one database and change in one
 * transaction, so a generation is the fold of exactly the events up to its position, whatever crashed when.
 *
 * - **live**: the one queries see. They ask the schema `view_<name>`, which shows each of its tables under its own name:
 *   `select … from view_popular.product`. That costs a query nothing: PostgreSQL puts the table in the place of the name
 *   when it plans the statement.
 * - **building**: made when the `version` of the definition changes (by the first instance that starts with the new one),
 *   or by hand (`rebuildView`). It is folded beside the live one, from position 0. Once it is nowhere behind the live
 *   one, the schema `view_<name>` is made to show it, and the old generation is dropped: all in one transaction, during which
 *   the live one is held still. So readers never see the past again, nor a half of each. A generation that could not fold
 *   an event (parked) does not become live.
 * - The first generation of all is live at once, empty, for there is nothing better to show.
 *
 * Code folds the generations of its own version only. While an old and a new version run side by side, each folds its own.
 *
 * Until the switch, queries of the new code see the tables of the old one. So a new version changes how rows come
 * about, and may add columns once no query needs them; a view of another shape gets another name, and lives beside the old
 * one as long as both are read.
 *
 * A fold gives the same tables for the same events: no `now()`, no chance, no counter (`identity`), no other tables.
 * What the log has forgotten, a rebuild does not see: events that views are made of must be kept. A generation that lacks
 * some which the live one has seen does not become live; who wants it all the same sets `missed_up_to` of its group's
 * rows in `flotilla.subscription` to null.
 *
 * @module
 */
import type { EventType } from '../contract/event.ts'
import type { Static, TSchema } from '../contract/schema.ts'
import { FlotillaError } from '../kernel/error.ts'
import { type Sql, sql } from '../store/sql.ts'
import type { Transaction } from '../store/transaction.ts'

/** An event as the log tells it, as far as views look at it. */
export interface ToldEvent {
  readonly id: string
  /** Such as `orders.confirmed`. */
  readonly type: string
  readonly version: number
  readonly key: string
  /** When it happened, ISO 8601. */
  readonly time: string
  readonly data: unknown
}

/** An event as a fold gets it, its data in the shape of today. */
export interface FoldedEvent<T> extends Pick<ToldEvent, 'id' | 'key' | 'time'> {
  readonly data: T
}

/** What a kind of event does to a view. */
export interface Fold {
  readonly type: EventType
  fold(events: readonly FoldedEvent<unknown>[], tx: Transaction): Promise<void>
}

/** A view, as declared. */
export interface View {
  /** Lower case, digits, single underscores; at most 40 characters. */
  readonly name: string
  /** Grows when the folds or the tables change. */
  readonly version: number
  /** Statements that create its tables and indexes, named without a schema. */
  readonly tables: readonly Sql[]
  readonly on: readonly Fold[]
}

const NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/
const NAME_CHARS_MAX = 40

/**
 * Says what events of one type do to the tables: `events` came one after the other, with none of another type between them
 * that the view is made of. In there, tables are named without a schema.
 */
export function fold<D extends TSchema>(
  type: EventType<D>,
  change: (events: readonly FoldedEvent<Static<D>>[], tx: Transaction) => Promise<void>,
): Fold {
  return { type, fold: change }
}

/**
 * Declares a view.
 *
 * @throws FlotillaError `invalid_argument` for a name or version that is none, or two folds of one type.
 */
export function defineView(view: View): View {
  const { name, version, on } = view
  const isNamed = NAME.test(name) && name.length <= NAME_CHARS_MAX
  if (!isNamed) throw refused(`${name} is no name of a view`)
  if (!Number.isInteger(version) || version < 1) throw refused(`The view ${name} needs a version from 1`)
  if (new Set(on.map(({ type }) => type.id)).size < on.length)
    throw refused(`The view ${name} folds a type twice`)
  return view
}

/** Kinds of events it is made of. */
export function topicsOf({ on }: View): string[] {
  return on.map(({ type }) => type.id)
}

/** The schema that queries ask. */
export function schemaOf(name: string): string {
  return `view_${name}`
}

/** The schema of a generation, and the name of its group of consumers. */
export function generationSchema(name: string, generation: number): string {
  return `view_${name}__${generation}`
}

/** Where folds have already gone. */
const entered = new WeakMap<Transaction, string>()

/** Changes the tables of a generation by `events`, in the transaction that moves its position past them. */
export async function foldInto(
  view: View,
  generation: number,
  events: readonly ToldEvent[],
  tx: Transaction,
): Promise<void> {
  const schema = generationSchema(view.name, generation)
  // Once a transaction, however many events it has.
  if (entered.get(tx) !== schema) await enterSchema(tx, schema)
  entered.set(tx, schema)
  for (const run of runsOf(events)) {
    const one = view.on.find(({ type }) => type.id === run[0]?.type)
    const read = ({ id, key, time, version, data }: ToldEvent) => ({
      id,
      key,
      time,
      data: one?.type.read(version, data),
    })
    await one?.fold(run.map(read), tx)
  }
}

/** From here on to the end of the transaction, names without a schema are those of `schema`; extensions are in public. */
export async function enterSchema(tx: Transaction, schema: string): Promise<void> {
  await tx.execute(sql`select set_config('search_path', ${`${schema}, public`}, true)`)
}

/** Events of the same type that follow one another. */
function runsOf(events: readonly ToldEvent[]): ToldEvent[][] {
  const runs: ToldEvent[][] = []
  for (const event of events) {
    const last = runs.at(-1)
    if (last?.[0]?.type === event.type) last.push(event)
    else runs.push([event])
  }
  return runs
}

function refused(what: string): FlotillaError {
  return new FlotillaError('invalid_argument', `${what}.`, { executed: 'no' })
}
