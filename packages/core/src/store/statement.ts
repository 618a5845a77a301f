/**
 * One round trip on the wire, in PostgreSQL's extended query protocol: a statement, and those that travel before it.
 *
 * The driver could do this itself, but for three things. A transaction's BEGIN must travel with its first statement and
 * must take it down when it fails: the server skips everything between an error and the next Sync, so all of it goes out
 * before *one* Sync. (Sent as two queries of the driver, each with a Sync of its own, a canceled BEGIN would leave its
 * first statement to commit by itself.) For the same reason a COMMIT may travel with what it commits. And the driver marks a
 * statement as prepared at the first ParseComplete, which here may be BEGIN's.
 *
 * @source https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 * @module
 */
import type { Duplex } from 'node:stream'
import pg from 'pg'
import type { TraceContext } from '../kernel/trace-context.ts'
import { Messages } from './messages.ts'
import type { EncodedValue } from './sql.ts'

/** A statement by itself. */
export interface OneStatement {
  readonly text: string
  /** Default none. */
  readonly values?: readonly EncodedValue[] | undefined
  /** Prepared under this name. Absent: parsed anew. */
  readonly name?: string | undefined
  /** The span it belongs to. Absent: that of the call, if it is one of its statements. */
  readonly trace?: TraceContext | undefined
}

/** What to run. */
export interface Statement extends OneStatement {
  /** Run before it, in the same round trip, and what they give is dropped; if one fails, none after it runs. */
  readonly opening?: readonly OneStatement[]
  /** Told of the failure of one of the opening, before this statement fails of it. */
  readonly onOpeningFailed?: (error: unknown) => void
}

/** The driver's answer to one statement. */
export type Result = pg.QueryResult<Record<string, unknown>>

type Done = (error: Error | undefined, result: Result) => void

/** The driver's query with what its published types leave out. */
interface DriverQuery extends pg.Query {
  handleDataRow(message: unknown): void
  handleEmptyQuery(connection: unknown): void
  handleCommandComplete(message: unknown, connection: unknown): void
}
// It has them, and the one thing that its constructor wants of values is that there may be none.
const DriverQuery = pg.Query as unknown as new (text: string, values: undefined, done: Done) => DriverQuery

const messages = new Messages()

/** `statement` as the driver takes it; `prepared`: names that the connection knows already. */
export class WireQuery extends DriverQuery {
  /** How many of the opening have not been answered. */
  #opening: number

  constructor(statement: Statement, prepared: ReadonlySet<string>, done: Done) {
    super(statement.text, undefined, done)
    const { opening = [] } = statement
    this.#opening = opening.length
    this.submit = (connection) => {
      // The driver's types leave out what it is written to.
      const { stream } = connection as unknown as { readonly stream: Duplex }
      // What is sent without waiting for each other is one write.
      stream.cork()
      void Promise.resolve().then(() => stream.uncork())
      stream.write(bytesOf(opening, statement, prepared))
    }
  }

  /** How many of the opening did not succeed, or have not yet. */
  get unanswered(): number {
    return this.#opening
  }

  // The driver would take the rows of the opening for ours, but has no names for their columns.
  override handleDataRow(message: unknown): void {
    if (this.#opening === 0) super.handleDataRow(message)
  }

  override handleEmptyQuery(connection: unknown): void {
    if (this.#opening > 0) this.#opening--
    else super.handleEmptyQuery(connection)
  }

  override handleCommandComplete(message: unknown, connection: unknown): void {
    if (this.#opening > 0) this.#opening--
    else super.handleCommandComplete(message, connection)
  }
}

function bytesOf(
  opening: readonly OneStatement[],
  statement: OneStatement,
  prepared: ReadonlySet<string>,
): Buffer {
  messages.begin()
  /** Names that an earlier one of these makes known. */
  const parsed = new Set<string>()
  for (const before of opening) {
    add(before, prepared, parsed)
    messages.execute()
  }
  add(statement, prepared, parsed)
  messages.describe()
  messages.execute()
  messages.sync()
  return messages.take()
}

function add(
  { text, values = [], name = '' }: OneStatement,
  prepared: ReadonlySet<string>,
  parsed: Set<string>,
): void {
  if (!prepared.has(name) && !parsed.has(name)) {
    // The name may be taken after all: by an attempt that failed after its Parse. Closing an unknown name is no error.
    if (name !== '') {
      messages.close(name)
      parsed.add(name)
    }
    messages.parse(name, text)
  }
  messages.bind(name, values)
}
