/**
 * Event-sourced aggregates: a thing of which only what happened to it is kept. Its state is the fold of its events, so
 * it can be told for every moment of its life.
 *
 * A command loads, decides and appends in **one** transaction:
 *
 *     ctx.commit(async (tx) => {
 *       const loaded = await orders.load(tx, id)
 *       if (loaded.version !== input.version) throw ctx.fail('stale_version')
 *       await orders.append(tx, loaded, [{ type: 'cancelled', data: { … } }], { actor, cause })
 *     })
 *
 * `load` locks nothing. `append` succeeds only when the version that was loaded is still the last one: of several that
 * append to the same version one wins, which the primary key (aggregate, id, version) decides. To the others it is a
 * serialization failure, so `commit` runs their work again, from `load`: they decide anew, on what the winner left, and
 * whatever then forbids it is said in the words of the domain (such as `stale_version` above). A caller is told of a
 * conflict (`aborted`) only after five in a row. What was loaded outside of the transaction would lose all five.
 *
 * A **snapshot** of the state is written in the transaction that appends, every `snapshotEvery` events or a little more.
 * All are kept, so the present and the past are read alike: from the last snapshot before that moment, and the
 * events after it. A snapshot is only a shortcut: one made by other code (`stateVersion`, or another shape of the state)
 * is not looked at, and the next command replaces it.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { closed, lazyCheck, type Static, type TSchema } from '../contract/schema.ts'
import type { Caller } from '../kernel/caller.ts'
import { FlotillaError } from '../kernel/error.ts'
import type { Queries } from '../store/queries.ts'
import { sql } from '../store/sql.ts'
import type { Transaction } from '../store/transaction.ts'
import {
  type Actor,
  createEventCodec,
  type EventCodec,
  type EventKinds,
  type EventMeta,
  type NewEvent,
  type Origin,
  type PastEvent,
} from './aggregate-events.ts'

/** What `defineAggregate` takes. */
export interface AggregateSpec<S extends TSchema, E extends EventKinds> {
  /** Lower case; part of the key of its rows. */
  readonly name: string
  /** The shape of the state. A state that does not fit is never committed. */
  readonly state: S
  /** Grows when `apply` makes other states of the same events, so that older snapshots are not looked at. */
  readonly stateVersion: number
  /** The state before the first event. */
  readonly initial: Static<S>
  readonly events: E
  /** The state after an event, of nothing but its arguments; changes none of them. */
  readonly apply: {
    readonly [K in keyof E]: (state: Static<S>, data: Static<E[K]['data']>, meta: EventMeta) => Static<S>
  }
  /** Events from one snapshot to the next, from 1. Default 50. */
  readonly snapshotEvery?: number
}

/** An aggregate at one moment of its life. */
export interface Loaded<State> {
  readonly id: string
  /** How many events it has had; 0: none, so it does not exist. */
  readonly version: number
  readonly state: State
  /** Of its last event, ISO 8601; absent: it does not exist. */
  readonly at: string | undefined
  /** Of the snapshot it was found from; 0: none. */
  readonly snapshotVersion: number
}

/** Aggregates of one kind. Its methods take a session, or the transaction they belong to. */
export interface Aggregate<State, E extends EventKinds> {
  readonly name: string
  /** The present. */
  load(queries: Queries, id: string): Promise<Loaded<State>>
  /** As it was when it had `version` events, or has now if it has fewer. */
  atVersion(queries: Queries, id: string, version: number): Promise<Loaded<State>>
  /** As it was at `time`, ISO 8601: with all events up to that moment, inclusive. */
  asOf(queries: Queries, id: string, time: string): Promise<Loaded<State>>
  /** What happened to it after version `after` (default 0), oldest first; at most `limit` (default 100, at most 1000). */
  history(
    queries: Queries,
    id: string,
    page?: { readonly after?: number; readonly limit?: number },
  ): Promise<PastEvent<E>[]>
  /**
   * Appends at most 100 events, and gives the aggregate after them.
   *
   * @throws FlotillaError `aborted`, for `Session.transaction` to run its work again, when `loaded` is no longer the
   *   present; `internal` when an event, or the state after it, does not fit its schema.
   */
  append(
    tx: Transaction,
    loaded: Loaded<State>,
    events: readonly NewEvent<E>[],
    origin: Origin,
  ): Promise<Loaded<State>>
}

/** An event or a snapshot. */
interface Row extends EventMeta {
  readonly type: string | null
  readonly typeVersion: number
  readonly data: unknown
}

const EVENTS_MAX = 100
/** Rows of one answer. */
const PAGE = 1_000
const VERSION_MAX = 0x7fff_ffff

/**
 * Declares a kind of aggregate; the compiler checks that `apply` knows every event.
 *
 * @throws FlotillaError `invalid_argument` when an upcast is missing.
 */
export function defineAggregate<S extends TSchema, const E extends EventKinds>(
  spec: AggregateSpec<S, E>,
): Aggregate<Static<S>, E> {
  return new EventSourced(spec)
}

/** The user behind a call, else the service that calls, else nobody. */
export function actorOf({ user, service }: Caller): Actor {
  if (user !== undefined) return { kind: 'user', id: user.id }
  return service === undefined ? { kind: 'anonymous', id: '' } : { kind: 'service', id: service }
}

class EventSourced<S extends TSchema, E extends EventKinds> implements Aggregate<Static<S>, E> {
  readonly name: string
  readonly #spec: AggregateSpec<S, E>
  readonly #codec: EventCodec<E>
  readonly #checkState: ReturnType<typeof lazyCheck>
  /** Names the code, as far as snapshots depend on it. */
  readonly #maker: string

  constructor(spec: AggregateSpec<S, E>) {
    this.name = spec.name
    this.#spec = spec
    this.#codec = createEventCodec(spec.name, spec.events)
    this.#checkState = lazyCheck(closed(spec.state))
    const shape = createHash('sha256').update(JSON.stringify(spec.state)).digest('hex').slice(0, 16)
    this.#maker = `${spec.stateVersion} ${shape}`
  }

  load(queries: Queries, id: string): Promise<Loaded<Static<S>>> {
    return this.#upTo(queries, id, VERSION_MAX, 'infinity')
  }

  atVersion(queries: Queries, id: string, version: number): Promise<Loaded<Static<S>>> {
    return this.#upTo(queries, id, Math.min(version, VERSION_MAX), 'infinity')
  }

  asOf(queries: Queries, id: string, time: string): Promise<Loaded<Static<S>>> {
    return this.#upTo(queries, id, VERSION_MAX, time)
  }

  async history(
    queries: Queries,
    id: string,
    { after = 0, limit = 100 }: { readonly after?: number; readonly limit?: number } = {},
  ): Promise<PastEvent<E>[]> {
    const rows = await queries.many<Row>(sql`
      select version, type, type_version as "typeVersion", data, actor, cause, at
      from flotilla.aggregate_event where aggregate = ${this.name} and id = ${id} and version > ${after}
      order by version limit ${Math.min(limit, PAGE)}`)
    return rows.map(({ version, actor, cause, at, ...row }) => ({
      ...this.#read(row),
      version,
      actor,
      cause,
      at,
    }))
  }

  async append(
    tx: Transaction,
    loaded: Loaded<Static<S>>,
    events: readonly NewEvent<E>[],
    { actor, cause }: Origin,
  ): Promise<Loaded<Static<S>>> {
    if (events.length === 0) return loaded
    if (events.length > EVENTS_MAX)
      throw new FlotillaError('internal', `More than ${EVENTS_MAX} events at once.`)
    const written = events.map((event) => this.#codec.write(event))
    const { at } = await tx.one<{ at: string }>(sql`
      select flotilla.append_events(${this.name}, ${loaded.id}, ${loaded.version}, ${sql.json(written)}, ${sql.json(actor)},
        ${cause}) as at`)
    let { state, version } = loaded
    for (const event of written) {
      version++
      state = this.#apply(state, this.#codec.read(event), { version, actor, cause, at })
    }
    const issues = this.#checkState(state)
    if (issues !== undefined) {
      throw new FlotillaError('internal', `${this.name} would become ${JSON.stringify(issues)}.`)
    }
    const { snapshotVersion } = loaded
    if (version - snapshotVersion < (this.#spec.snapshotEvery ?? 50))
      return { id: loaded.id, version, state, at, snapshotVersion }
    await tx.execute(sql`
      insert into flotilla.aggregate_snapshot (aggregate, id, version, made_by, state, at)
      values (${this.name}, ${loaded.id}, ${version}, ${this.#maker}, ${sql.json(state)}, ${at})`)
    return { id: loaded.id, version, state, at, snapshotVersion: version }
  }

  /** Page by page, which tears nothing: what was read never changes, and what is new comes after it. */
  async #upTo(queries: Queries, id: string, version: number, time: string): Promise<Loaded<Static<S>>> {
    const { initial: state } = this.#spec
    let loaded: Loaded<Static<S>> = { id, version: 0, state, at: undefined, snapshotVersion: 0 }
    for (;;) {
      const rows = await queries.many<Row>(sql`
        with snapshot as materialized (
          select version, null as type, 0 as type_version, state as data, null::json as actor, null as cause, at
          from flotilla.aggregate_snapshot
          where aggregate = ${this.name} and id = ${id} and made_by = ${this.#maker}
            and version > ${loaded.version} and version <= ${version} and at <= ${time}
          order by version desc limit 1)
        select version, type, type_version as "typeVersion", data, actor, cause, at from (
          select * from snapshot union all (
            select version, type, type_version, data, actor, cause, at from flotilla.aggregate_event
            where aggregate = ${this.name} and id = ${id} and version <= ${version} and at <= ${time}
              and version > coalesce((select version from snapshot), ${loaded.version})
            order by version limit ${PAGE})) rows
        order by version`)
      loaded = this.#fold(loaded, rows)
      if (rows.length < PAGE) return loaded
    }
  }

  #fold(from: Loaded<Static<S>>, rows: readonly Row[]): Loaded<Static<S>> {
    let { version, state, at, snapshotVersion } = from
    for (const row of rows) {
      ;({ version, at } = row)
      if (row.type === null) {
        state = row.data as Static<S>
        snapshotVersion = version
      } else state = this.#apply(state, this.#read(row), row)
    }
    return { id: from.id, version, state, at, snapshotVersion }
  }

  #read({ type, typeVersion, data }: Pick<Row, 'type' | 'typeVersion' | 'data'>): NewEvent<E> {
    return this.#codec.read({ type: type as string, version: typeVersion, data })
  }

  #apply(state: Static<S>, event: NewEvent<E>, { version, at, actor, cause }: EventMeta): Static<S> {
    return this.#spec.apply[event.type](state, event.data, { version, at, actor, cause })
  }
}
