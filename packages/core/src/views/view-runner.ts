/**
 * What one instance of a service does for its views: it folds the generations of its own version, as a member of their
 * groups of consumers, and switches to those that have caught up.
 *
 * @module
 */
import { isFlotillaError } from '../kernel/error.ts'
import type { ServiceRuntime } from '../service/definition.ts'
import type { Session } from '../store/session.ts'
import { sql } from '../store/sql.ts'
import type { Transaction } from '../store/transaction.ts'
import { ensureView, readViews, type Standings, switchView, type ViewRow } from './generations.ts'
import { foldInto, generationSchema, type ToldEvent, topicsOf, type View } from './view.ts'

/** Consumers of the event log that keep their positions in this database. */
export interface ViewConsumers extends Standings {
  /**
   * Takes part in a group, which begins at position 0: `handle` gets the group's events in their order, in the transaction
   * that moves its positions past them. When `handle` rejects, neither happens.
   */
  open(
    group: string,
    topics: readonly string[],
    handle: (events: readonly ToldEvent[], tx: Transaction) => Promise<void>,
  ): { close(): Promise<void> }
}

const ENSURE_MS_MAX = 60_000
const LOOK_MS = 250

/** The views of one instance. */
export class ViewRunner {
  readonly #views: readonly View[]
  readonly #consumers: ViewConsumers
  /** By group. */
  readonly #folding = new Map<string, { close(): Promise<void> }>()

  constructor(views: readonly View[], consumers: ViewConsumers) {
    this.#views = views
    this.#consumers = consumers
  }

  /** Creates what is not there yet, and begins to build what is of another version. */
  async ensure(session: Session): Promise<void> {
    for (const view of this.#views) await ensureView(session, view, this.#consumers)
  }

  /** Looks how things are: switches, begins and ends the folding of generations. To be called again and again. */
  async look(session: Session): Promise<void> {
    for (const row of await readViews(session)) {
      const view = this.#views.find(({ name }) => name === row.name)
      if (row.building === null || row.buildingVersion !== view?.version) continue
      await switchView(session, row.name, this.#consumers).catch((error: unknown) => {
        // Queries or folds were in the way; the next look tries again.
        if (!isFlotillaError(error) || error.code !== 'aborted') throw error
      })
    }
    const rows = await readViews(session)
    const wanted = new Map(this.#views.flatMap((view) => ours(view, rows)))
    for (const [group, folding] of this.#folding) {
      if (wanted.has(group)) continue
      this.#folding.delete(group)
      await folding.close()
      // Its generation is dropped, but who joins a group late creates it again.
      await session.transaction((tx) => this.#consumers.forget(tx, group))
    }
    for (const [group, { view, generation }] of wanted) {
      if (this.#folding.has(group)) continue
      const handle = (events: readonly ToldEvent[], tx: Transaction) => foldInto(view, generation, events, tx)
      this.#folding.set(group, this.#consumers.open(group, topicsOf(view), handle))
    }
  }

  /** Leaves the groups; others go on. */
  async close(): Promise<void> {
    const folding = [...this.#folding.values()]
    this.#folding.clear()
    await Promise.all(folding.map((one) => one.close()))
  }
}

/**
 * Opens the views of a service until it closes. When it resolves, queries find their tables, however empty.
 *
 * @throws FlotillaError `internal` when the service has no database.
 */
export async function openViews(
  runtime: Pick<ServiceRuntime, 'run' | 'every' | 'closing' | 'join'>,
  views: readonly View[],
): Promise<void> {
  const runner = new ViewRunner(views, {
    ...logStandings,
    open: (group, topics, handle) => runtime.join(group, topics, handle),
  })
  await runtime.run('views', ENSURE_MS_MAX, (ctx) => runner.ensure(ctx.db))
  // Closed after the task that looks, which is deferred later.
  runtime.closing.defer('views', () => runner.close())
  runtime.every('views', LOOK_MS, (ctx) => runner.look(ctx.db))
}

/** Where groups stand, by what `core/events` keeps of them. */
export const logStandings: Standings = {
  async standing(tx, group, isHeld) {
    const rows = await tx.many<{ partition: number; position: number; missed_up_to: number | null }>(sql`
      select partition, position, missed_up_to from flotilla.subscription where group_name = ${group}
      order by partition ${isHeld ? sql`for update` : sql``}`)
    const { parked } = await tx.one<{ parked: number }>(sql`
      select count(*)::int as parked from flotilla.parked where group_name = ${group}`)
    return {
      positions: new Map(rows.map(({ partition, position }) => [partition, position])),
      parked,
      missedUpTo: Math.max(0, ...rows.map((row) => row.missed_up_to ?? 0)),
    }
  },
  /** What is in its inbox goes with time: that may be a lot, and queries are waiting. */
  async forget(tx, group) {
    await tx.execute(sql`delete from flotilla.subscription where group_name = ${group}`)
    await tx.execute(sql`delete from flotilla.parked where group_name = ${group}`)
  },
}

/** The generations of `view` that code of its version folds, by group. */
function ours(
  view: View,
  rows: readonly ViewRow[],
): [string, { readonly view: View; readonly generation: number }][] {
  const row = rows.find(({ name }) => name === view.name)
  if (row === undefined) return []
  const generations: number[] = []
  if (row.liveVersion === view.version) generations.push(row.live)
  if (row.building !== null && row.buildingVersion === view.version) generations.push(row.building)
  return generations.map((generation) => [generationSchema(view.name, generation), { view, generation }])
}
