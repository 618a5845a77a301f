/**
 * Messages of PostgreSQL's extended query protocol as bytes: all of one round trip in one buffer, which is one write to the socket.
 * The driver makes a buffer of each message; writing a dozen of those costs more than all the rest of sending.
 *
 * @source https://www.postgresql.org/docs/18/protocol-message-formats.html
 * @module
 */
import type { EncodedValue } from './sql.ts'

const FIRST_BYTES = 16 * 1024
/** What a large value has made it grow to beyond this is not kept. */
const KEPT_BYTES_MAX = 256 * 1024
/** UTF-8 of one of JavaScript's characters. */
const CHAR_BYTES_MAX = 3

const PARSE = 0x50
const BIND = 0x42
const CLOSE = 0x43
const DESCRIBE = 0x44
const EXECUTE = 0x45
const SYNC = 0x53
const STATEMENT = 0x53
const PORTAL = 0x50

/** Gathers messages. One serves all connections: what it gathered is taken before anybody else can begin. */
export class Messages {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES)
  #end = 0

  /** Forgets what nobody took: whoever gathered it has failed. */
  begin(): void {
    this.#end = 0
  }

  /** Has the server read `text`, and keep it under `name`; empty: until the next. */
  parse(name: string, text: string): void {
    const start = this.#start(PARSE)
    this.#text(name)
    this.#text(text)
    // No types of parameters: the server infers them.
    this.#int16(0)
    this.#finish(start)
  }

  /** Gives values to the statement of that name; answers come as text. */
  bind(name: string, values: readonly EncodedValue[]): void {
    const start = this.#start(BIND)
    this.#text('')
    this.#text(name)
    this.#formats(values)
    this.#int16(values.length)
    for (const value of values) this.#value(value)
    this.#int16(0)
    this.#finish(start)
  }

  /** Asks for the names and types of the columns of what was bound. */
  describe(): void {
    const start = this.#start(DESCRIBE)
    this.#byte(PORTAL)
    this.#text('')
    this.#finish(start)
  }

  /** Runs what was bound, for all its rows. */
  execute(): void {
    const start = this.#start(EXECUTE)
    this.#text('')
    this.#int32(0)
    this.#finish(start)
  }

  /** Has the server forget a statement; no error where it knows none of that name. */
  close(name: string): void {
    const start = this.#start(CLOSE)
    this.#byte(STATEMENT)
    this.#text(name)
    this.#finish(start)
  }

  /** Ends a round trip: the server skips from an error to here. */
  sync(): void {
    this.#finish(this.#start(SYNC))
  }

  /** All that was gathered, for whoever writes it. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#end))
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = Buffer.allocUnsafe(FIRST_BYTES)
    return taken
  }

  /** Where the length goes, which counts itself and what follows. */
  #start(kind: number): number {
    this.#byte(kind)
    const start = this.#end
    this.#int32(0)
    return start
  }

  #finish(start: number): void {
    this.#bytes.writeInt32BE(this.#end - start, start)
  }

  /** Which values are bytes; that none is needs no list. */
  #formats(values: readonly EncodedValue[]): void {
    if (!values.some((value) => value instanceof Buffer)) return this.#int16(0)
    this.#int16(values.length)
    for (const value of values) this.#int16(value instanceof Buffer ? 1 : 0)
  }

  #value(value: EncodedValue): void {
    const start = this.#end
    this.#int32(-1)
    if (value === null) return
    if (typeof value === 'string') this.#chars(value)
    else {
      this.#room(value.length)
      this.#end += value.copy(this.#bytes, this.#end)
    }
    this.#bytes.writeInt32BE(this.#end - start - 4, start)
  }

  #text(text: string): void {
    this.#chars(text)
    this.#byte(0)
  }

  #chars(text: string): void {
    this.#room(text.length * CHAR_BYTES_MAX)
    this.#end += this.#bytes.write(text, this.#end)
  }

  #byte(value: number): void {
    this.#room(1)
    this.#bytes[this.#end++] = value
  }

  #int16(value: number): void {
    this.#room(2)
    this.#end = this.#bytes.writeUInt16BE(value, this.#end)
  }

  #int32(value: number): void {
    this.#room(4)
    this.#end = this.#bytes.writeInt32BE(value, this.#end)
  }

  #room(bytes: number): void {
    const needed = this.#end + bytes
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#end)
    this.#bytes = larger
  }
}
