/**
 * One statement on the wire, in PostgreSQL's extended query protocol.
 *
 * The driver could do this itself, but for two things. A transaction's BEGIN must travel with its first statement and
 * must take it down when it fails: the server skips everything between an error and the next Sync, so all of it goes out
 * before *one* Sync. (Sent as two queries of the driver, each with a Sync of its own, a canceled BEGIN would leave its
 * first statement to commit by itself.) And the driver marks a statement as prepared at the first ParseComplete,
 * which here may be BEGIN's.
 *
 * @source https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 * @module
 */
import type { Duplex } from 'node:stream'
import pg from 'pg'
import type { EncodedValue } from './sql.ts'

/** What to run. */
export interface Statement {
  readonly text: string
  /** Default none. */
  readonly values?: readonly EncodedValue[] | undefined
  /** Prepared under this name. Absent: parsed anew. */
  readonly name?: string | undefined
  /** Statements without values that run before it, in the same round trip; if one fails, none after it runs. */
  readonly opening?: readonly string[]
}

/** The driver's connection, as far as its published types are wrong about it. */
interface Wire {
  readonly stream: Duplex
  parse(message: { readonly name?: string | undefined; readonly text: string }): void
  bind(message: {
    readonly statement?: string | undefined
    readonly values?: readonly EncodedValue[] | undefined
  }): void
  describe(message: { readonly type: 'P' }): void
  execute(message: object): void
  close(message: { readonly type: 'S'; readonly name: string }): void
  sync(): void
}

/** The driver's answer to one statement. */
export type Result = pg.QueryResult<Record<string, unknown>>

type Done = (error: Error | undefined, result: Result | readonly Result[]) => void

/** `statement` as the driver takes it; `isPrepared`: the connection knows its name already. */
export class WireQuery extends pg.Query {
  constructor(statement: Statement, isPrepared: boolean, done: Done) {
    super({ text: statement.text }, done as never)
    // The driver's types leave out the methods that write messages.
    this.submit = (connection) => send(connection as unknown as Wire, statement, isPrepared)
  }
}

function send(wire: Wire, statement: Statement, isPrepared: boolean): void {
  const { text, values, name, opening = [] } = statement
  // One write to the socket for all messages.
  wire.stream.cork()
  try {
    for (const before of opening) {
      wire.parse({ text: before })
      wire.bind({})
      wire.execute({})
    }
    if (!isPrepared) {
      // The name may be taken after all: by an attempt that failed after its Parse. Closing an unknown name is no error.
      if (name !== undefined) wire.close({ type: 'S', name })
      wire.parse({ name, text })
    }
    wire.bind({ statement: name, values })
    wire.describe({ type: 'P' })
    wire.execute({})
    wire.sync()
  } finally {
    wire.stream.uncork()
  }
}
