/**
 * Trying parked events again.
 *
 * The first event of each key is the one to go on with; the later ones wait until it is gone. An attempt is a transaction: the row
 * is taken (`for update skip locked`, so of several instances one does it), the reactions run, the row is deleted. When it
 * fails, the row says why and when to try next. After five attempts an event is *dead*: it stays, its key stands still, and people
 * decide. Failures that will pass by themselves (a callee is away) are tried for longer.
 *
 * @module
 */
import { codes } from '../kernel/code.ts'
import { crashpoint } from '../kernel/crashpoint.ts'
import { isFlotillaError } from '../kernel/error.ts'
import type { Random } from '../kernel/random.ts'
import { fullJitterMs } from '../resilience/backoff.ts'
import type { Session } from '../store/session.ts'
import { sql } from '../store/sql.ts'
import type { Transaction } from '../store/transaction.ts'
import type { Envelope } from './envelope.ts'
import { describeError } from './inbox.ts'

/** Attempts in all before an event is dead. */
const ATTEMPTS_MAX = 5
/** The same where the failure will pass: some two hours. */
const PASSING_ATTEMPTS_MAX = 120
const PAUSE = { baseMs: 500, capMs: 60_000 }
const KEYS_MAX = 50

/** What trying again takes. */
export interface RetryOptions {
  readonly group: string
  readonly react: (events: readonly Envelope[], tx: Transaction) => Promise<void>
  readonly random: Random
  /** With a deadline of its own each. */
  readonly session: () => Session
  readonly isStopped: () => boolean
  /** Told of an event that is dead now. */
  readonly onDead: (event: Envelope, error: unknown) => void
}

interface Row {
  readonly id: number
  readonly event: Envelope
  readonly attempts: number
}

/** Tries every parked event that is due, and those that wait behind it, as far as it goes. */
export async function retryParked(options: RetryOptions): Promise<void> {
  for (let handled = 1; handled > 0; ) {
    handled = 0
    for (const { id } of await findDue(options)) {
      if (options.isStopped()) return
      if (await retryOne(id, options)) handled++
    }
    // What waited behind those is due now.
  }
}

function findDue({ session, group }: RetryOptions): Promise<{ id: number }[]> {
  return session().many<{ id: number }>(sql`
    select id from flotilla.parked as first
    where group_name = ${group} and state <> 'dead' and next_at <= now()
      and not exists (
        select from flotilla.parked as earlier
        where earlier.group_name = first.group_name and earlier.key = first.key and earlier.id < first.id)
    order by next_at limit ${KEYS_MAX}`)
}

/** True when the event is handled. */
async function retryOne(id: number, options: RetryOptions): Promise<boolean> {
  let row: Row | undefined
  try {
    const isHandled = await options.session().transaction(async (tx) => {
      row = await tx.maybe<Row>(sql`
        delete from flotilla.parked where id = (
          select id from flotilla.parked where id = ${id} and state <> 'dead' and next_at <= now()
          for update skip locked)
        returning id, event, attempts`)
      if (row === undefined) return false
      await options.react([row.event], tx)
      crashpoint('retry.before-commit', options.group)
      return true
    })
    if (isHandled) crashpoint('retry.after-commit', options.group)
    return isHandled
  } catch (error) {
    if (row === undefined) throw error
    // Also when the connection was lost: it may be the event that breaks it, and the others must not wait for that.
    await note(row, error, options)
    return false
  }
}

/** Unless another instance has tried it meanwhile, or people have it tried again. */
async function note(row: Row, error: unknown, { session, random, onDead }: RetryOptions): Promise<void> {
  const attempts = row.attempts + 1
  const isPassing = isFlotillaError(error) && codes[error.code].isTransient
  const isDead = attempts >= (isPassing ? PASSING_ATTEMPTS_MAX : ATTEMPTS_MAX)
  const pauseMs = Math.round(fullJitterMs(random, row.attempts, PAUSE))
  const noted = await session().execute(sql`
    update flotilla.parked set state = ${isDead ? 'dead' : 'retrying'}, attempts = ${attempts},
      next_at = now() + ${pauseMs} * interval '1 millisecond', error = ${sql.json(describeError(error))}
    where id = ${row.id} and attempts = ${row.attempts} and state <> 'dead'`)
  if (isDead && noted > 0) onDead(row.event, error)
}
