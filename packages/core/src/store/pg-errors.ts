/**
 * What PostgreSQL's errors mean to a caller.
 *
 * The error a caller sees has a fixed text per code. What the server said stays in the cause, for logs, and even
 * there without values: PostgreSQL's `detail` quotes whole rows, and some messages quote the input.
 *
 * @module
 */
import pg from 'pg'
import { type Code, codes } from '../kernel/code.ts'
import { type Executed, FlotillaError, isFlotillaError } from '../kernel/error.ts'

/**
 * Code by SQLSTATE, or by its first two characters (its class); the longer match counts. Absent: `internal`.
 *
 * @source https://www.postgresql.org/docs/18/errcodes-appendix.html
 */
export const codeBySqlState: Readonly<Record<string, Code>> = {
  '08': 'unavailable', // connection exception
  '22021': 'invalid_argument', // a byte sequence no text may contain: only a caller's text can
  '22P05': 'invalid_argument', // \u0000 in a document: the same
  '22003': 'out_of_range', // numeric value out of range
  '23503': 'failed_precondition', // foreign key
  '23505': 'already_exists', // unique
  '23514': 'failed_precondition', // check
  '23P01': 'failed_precondition', // exclusion
  '25P03': 'deadline_exceeded', // idle in a transaction for too long
  '25P04': 'deadline_exceeded', // transaction took too long
  '40': 'aborted', // serialization failure, deadlock
  '53': 'unavailable', // disk full, out of memory, too many connections: 503, not the caller's 429
  '55P03': 'aborted', // lock not available
  '57014': 'deadline_exceeded', // query canceled
  '57': 'unavailable', // shutdown, crash, starting up
  '58': 'unavailable', // system error: I/O
  XX001: 'data_loss', // data corrupted
  XX002: 'data_loss', // index corrupted
}

/** Messages of these classes quote what the caller sent (22) or what a function chose to say (P0). */
const CLASSES_THAT_QUOTE = new Set(['22', 'P0'])
const STATEMENT_CHARS_MAX = 300

/** What PostgreSQL answered, without values: the `cause` of the errors of this part. */
export class SqlFailure extends Error {
  override readonly name = 'SqlFailure'
  /** Five characters, such as `23505`. */
  readonly sqlState: string
  readonly table: string | undefined
  readonly column: string | undefined
  readonly constraint: string | undefined
  /** The beginning of the statement; values are not part of it. Absent: not known. */
  readonly statement: string | undefined
  /** True when a statement was prepared before a migration changed its columns; parsed anew it will do. */
  readonly isStalePlan: boolean

  constructor(error: pg.DatabaseError, statement: string | undefined) {
    const sqlState = error.code ?? 'XX000'
    const isQuoting = CLASSES_THAT_QUOTE.has(sqlState.slice(0, 2))
    super(isQuoting ? `SQLSTATE ${sqlState}` : `SQLSTATE ${sqlState}: ${error.message}`)
    this.sqlState = sqlState
    this.table = error.table
    this.column = error.column
    this.constraint = error.constraint
    this.statement = statement?.slice(0, STATEMENT_CHARS_MAX)
    this.isStalePlan = sqlState === '0A000' && error.routine === 'RevalidateCachedQuery'
  }
}

/** The connection is gone, and the server had no last word: the `cause` of the errors of this part. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

/** Finds the server's answer in an error of this part, however often it was wrapped since. */
export function sqlFailureOf(error: unknown): SqlFailure | undefined {
  let cause = error
  // Five layers of wrapping are more than any handler makes; a cycle of causes must not hang us.
  for (let depth = 0; depth < 5 && cause instanceof Error; depth++) {
    if (cause.name === 'SqlFailure') return cause as SqlFailure
    cause = cause.cause
  }
  return undefined
}

/** True when `error` says that a row with this key exists; of `constraint` only, if named. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const failure = sqlFailureOf(error)
  return failure?.sqlState === '23505' && (constraint === undefined || failure.constraint === constraint)
}

/** True when the same transaction may well succeed when run again: serialization failure, deadlock, stale plan. */
export function isConflict(error: unknown): boolean {
  const failure = sqlFailureOf(error)
  if (failure === undefined) return false
  return failure.sqlState === '40001' || failure.sqlState === '40P01' || failure.isStalePlan
}

/** After these the server hangs up: it is shut down, recovers from a crash, or has waited for us too long. */
const LAST_WORDS = new Set(['25P03', '25P04', '57P01', '57P02', '57P03', '57P04', '57P05'])
/** Those of them that are not about what we did: the same statement may well succeed on another connection. */
const LOST = new Set(['57P01', '57P02', '57P03', '57P05'])

/** True when the server closes the connection after `error`. */
export function isLastWord(error: unknown): boolean {
  return LAST_WORDS.has(sqlFailureOf(error)?.sqlState ?? '')
}

/**
 * True when `error` itself, not a cause of it, is the loss of the connection under a statement. A transaction
 * whose COMMIT had not been sent is undone then; a statement by itself may have run, unless `executed` is 'no'.
 */
export function isConnectionLost(error: unknown): error is FlotillaError {
  if (!isFlotillaError(error) || !(error.cause instanceof Error)) return false
  const { cause } = error
  return (
    cause.name === 'ConnectionLost' ||
    (cause.name === 'SqlFailure' && LOST.has((cause as SqlFailure).sqlState))
  )
}

/** Turns whatever the driver threw into the platform's error. `executed`: what is known at the place of failure. */
export function fromDriver(error: unknown, executed: Executed, statement?: string): FlotillaError {
  if (isFlotillaError(error)) return error
  if (!(error instanceof pg.DatabaseError)) {
    // The driver's own errors carry no SQLSTATE and all mean one thing: the connection is not there (any more).
    return new FlotillaError('unavailable', 'The connection to the database failed.', {
      executed,
      cause: new ConnectionLost('The connection is gone.', { cause: error }),
    })
  }
  const failure = new SqlFailure(error, statement)
  const code = codeOf(failure.sqlState)
  return new FlotillaError(code, messageOf(code), { executed, cause: failure })
}

function codeOf(sqlState: string): Code {
  return codeBySqlState[sqlState] ?? codeBySqlState[sqlState.slice(0, 2)] ?? 'internal'
}

function messageOf(code: Code): string {
  if (code === 'already_exists') return 'A row with this key exists already.'
  if (code === 'unavailable') return 'The database is not available right now.'
  return `${codes[code].title}.`
}
