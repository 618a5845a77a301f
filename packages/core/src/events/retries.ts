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
import { isConnectionLost } from '../store/pg-errors.ts'
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
  readonly react: (event: Envelope, tx: Transaction) => Promise<void>
  readonly random: Random
  /** Told of an event that is dead now. */
  readonly onDead: (event: Envelope, error: unknown) => void
}

interface Row {
  readonly id: number
  readonly event: Envelope
  readonly attempts: number
}

/** Tries every parked event that is due, and those that wait behind it, as far as it goes. True: there may be more. */
export async function retryParked(session: Session, options: RetryOptions): Promise<boolean> {
  const due = await session.many<{ id: number }>(sql`
    select id from flotilla.parked as first
    where group_name = ${options.group} and state <> 'dead' and next_at <= now()
      and not exists (
        select from flotilla.parked as earlier
        where earlier.group_name = first.group_name and earlier.key = first.key and earlier.id < first.id)
    order by next_at limit ${KEYS_MAX}`)
  let handled = 0
  for (const { id } of due) if (await retryOne(session, id, options)) handled++
  return handled > 0
}

/** True when the event is handled. */
async function retryOne(session: Session, id: number, options: RetryOptions): Promise<boolean> {
  let row: Row | undefined
  try {
    const isHandled = await session.transaction(async (tx) => {
      row = await tx.maybe<Row>(sql`
        delete from flotilla.parked where id = (
          select id from flotilla.parked where id = ${id} and state <> 'dead' and next_at <= now()
          for update skip locked)
        returning id, event, attempts`)
      if (row === undefined) return false
      await options.react(row.event, tx)
      crashpoint('retry.before-commit', options.group)
      return true
    })
    if (isHandled) crashpoint('retry.after-commit', options.group)
    return isHandled
  } catch (error) {
    // Of the database itself, not of the event.
    if (row === undefined || isConnectionLost(error)) throw error
    await note(session, row, error, options)
    return false
  }
}

async function note(session: Session, row: Row, error: unknown, options: RetryOptions): Promise<void> {
  const attempts = row.attempts + 1
  const isPassing = isFlotillaError(error) && codes[error.code].isTransient
  const isDead = attempts >= (isPassing ? PASSING_ATTEMPTS_MAX : ATTEMPTS_MAX)
  const pauseMs = Math.round(fullJitterMs(options.random, row.attempts, PAUSE))
  await session.execute(sql`
    update flotilla.parked set state = ${isDead ? 'dead' : 'retrying'}, attempts = ${attempts},
      next_at = now() + ${pauseMs} * interval '1 millisecond', error = ${sql.json(describeError(error))}
    where id = ${row.id}`)
  if (isDead) options.onDead(row.event, error)
}
