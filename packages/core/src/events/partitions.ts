/**
 * Which partitions of a group are this instance's, and how far it has come in each.
 *
 * @module
 */
import { FlotillaError, isFlotillaError } from '../kernel/error.ts'
import type { Session } from '../store/session.ts'
import { sql } from '../store/sql.ts'
import type { Transaction } from '../store/transaction.ts'
import { othersIn, type Worker, workerIsDead } from '../store/worker.ts'
import { PARTITIONS } from './envelope.ts'

/** One partition that is ours. */
interface Held {
  readonly partition: number
  readonly fencing: number
  /** Of the last event handled. */
  readonly position: number
}

/** Partitions that are read together; does not change, whatever becomes of them meanwhile. */
export class Assignment {
  readonly #group: string
  readonly #worker: Worker
  readonly #held: readonly Held[]

  constructor(group: string, worker: Worker, held: readonly Held[]) {
    this.#group = group
    this.#worker = worker
    this.#held = held
  }

  /** Where each begins. */
  get positions(): Readonly<Record<number, number>> {
    return Object.fromEntries(this.#held.map(({ partition, position }) => [partition, position]))
  }

  /**
   * Moves all of them on to `upTo` within a transaction; none goes back.
   *
   * @param missedUpTo the log has forgotten what was wanted up to here; noted with those that had not come so far.
   * @throws FlotillaError reason `fenced` when one of them is not ours any more: the transaction must not commit.
   */
  async move(tx: Transaction, upTo: number, missedUpTo: number | null = null): Promise<void> {
    const numbers = this.#held.map(({ partition }) => partition)
    const fencings = this.#held.map(({ fencing }) => fencing)
    const moved = await tx.execute(sql`
      update flotilla.subscription as s set position = greatest(s.position, ${upTo}),
        missed_up_to = case when s.position < ${missedUpTo}::bigint then ${missedUpTo}::bigint else s.missed_up_to end
      from unnest(${numbers}::int[], ${fencings}::bigint[]) as ours (partition, fencing)
      where s.group_name = ${this.#group} and s.partition = ours.partition
        and s.owner = ${this.#worker.id} and s.fencing = ours.fencing`)
    if (moved !== this.#held.length) {
      throw new FlotillaError('failed_precondition', 'Another instance goes on with this partition.', {
        reason: 'fenced',
      })
    }
  }
}

/** True for the error of `Assignment.move`. */
export function isFenced(error: unknown): boolean {
  return isFlotillaError(error) && error.reason === 'fenced'
}

/** One instance's share of a group. */
export class Share {
  readonly #group: string
  readonly #worker: Worker
  #held: readonly Held[] = []
  #isCreated = false
  #balancing: Promise<boolean> | undefined

  constructor(group: string, worker: Worker) {
    this.#group = group
    this.#worker = worker
    worker.enter(group)
  }

  /** What is ours, as the database told last; undefined: nothing. */
  get assignment(): Assignment | undefined {
    return this.#held.length === 0 ? undefined : new Assignment(this.#group, this.#worker, this.#held)
  }

  /**
   * Takes what is free, or lets go, until we have our fair share. Positions are read anew. One at a time: who comes while it goes
   * on gets the same answer.
   *
   * @returns true when what is ours has changed.
   */
  balance(session: Session): Promise<boolean> {
    this.#balancing ??= this.#balance(session).finally(() => {
      this.#balancing = undefined
    })
    return this.#balancing
  }

  /** Lets others go on at once. */
  async leave(session: Session): Promise<void> {
    this.#worker.leave(this.#group)
    await this.#balancing?.catch(() => {
      // Then it took nothing.
    })
    const held = this.#held
    this.#held = []
    if (held.length > 0) await this.#release(session, held)
  }

  async #balance(session: Session): Promise<boolean> {
    if (!this.#isCreated) await this.#create(session)
    const before = this.#held
    const seen = await this.#look(session)
    const share = Math.ceil(PARTITIONS / (1 + seen.others))
    let { held } = seen
    if (held.length > share) {
      await this.#release(session, held.slice(share))
      held = held.slice(0, share)
    } else if (held.length < share) {
      held = [...held, ...(await this.#take(session, share - held.length))]
    }
    this.#held = held.toSorted((a, b) => a.partition - b.partition)
    return !areSame(before, this.#held)
  }

  async #create(session: Session): Promise<void> {
    await session.execute(sql`
      insert into flotilla.subscription (group_name, partition)
      select ${this.#group}, generate_series(0, ${PARTITIONS - 1}::int) on conflict do nothing`)
    this.#isCreated = true
  }

  /** What is ours, and how many others take part: in one statement, for an idle service does little else. */
  async #look(session: Session): Promise<{ readonly others: number; readonly held: readonly Held[] }> {
    const { id } = this.#worker
    const rows = await session.many<{ others: number } & (Held | Record<keyof Held, null>)>(sql`
      select members.others, s.partition, s.fencing, s.position
      from (select ${othersIn(this.#group, id)} as others) as members
      left join flotilla.subscription as s on s.group_name = ${this.#group} and s.owner = ${id}
      order by s.partition`)
    const held = rows.flatMap((row) => (row.partition === null ? [] : [row]))
    return { others: rows[0]?.others ?? 0, held }
  }

  #take(session: Session, count: number): Promise<Held[]> {
    return session.many<Held>(sql`
      update flotilla.subscription set owner = ${this.#worker.id}, fencing = fencing + 1
      where group_name = ${this.#group} and partition in (
        select partition from flotilla.subscription
        where group_name = ${this.#group} and ${workerIsDead(sql`owner`)}
        order by partition limit ${count} for update skip locked)
      returning partition, fencing, position`)
  }

  async #release(session: Session, held: readonly Held[]): Promise<void> {
    await session.execute(sql`
      update flotilla.subscription set owner = null
      where group_name = ${this.#group} and owner = ${this.#worker.id}
        and partition = any(${held.map(({ partition }) => partition)}::int[])`)
  }
}

function areSame(some: readonly Held[], others: readonly Held[]): boolean {
  const isSame = (one: Held, other: Held | undefined): boolean =>
    one.partition === other?.partition && one.fencing === other.fencing
  return some.length === others.length && some.every((one, index) => isSame(one, others[index]))
}
