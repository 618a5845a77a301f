/**
 * Reads the heads of one connection. A client that stays sends the same fields with nearly every request, and what was read of them the
 * last time is still right: of such a head only the request line is read.
 *
 * @module
 */
import { type HeadFields, type HeadRefusal, readHeadFields } from '../match/head-fields.ts'
import { type RequestHead, readHead } from '../match/request-head.ts'
import { type RequestLine, readFields, readRequestLine } from './raw-head.ts'

/** Longer ones are read anew: every idle connection would hold them. */
const KEPT_CHARS_MAX = 4 * 1024

/** A head whose form is right, and what it means. */
export interface ReadHead {
  readonly line: RequestLine
  readonly head: RequestHead | HeadRefusal
}

/** The reader of one connection. */
export class HeadReader {
  #text: string | undefined
  #fields: HeadFields | HeadRefusal | undefined

  /** Reads a head, without the empty line that ends it; undefined when that is none. */
  read(text: string): ReadHead | undefined {
    const lineEnd = text.indexOf('\r\n')
    const line = readRequestLine(lineEnd < 0 ? text : text.slice(0, lineEnd))
    if (line === undefined) return undefined
    const fields = this.#read(lineEnd < 0 ? '' : text.slice(lineEnd + 2))
    if (fields === undefined) return undefined
    return { line, head: readHead(line.method, line.target, line.httpVersion, fields) }
  }

  #read(text: string): HeadFields | HeadRefusal | undefined {
    if (text === this.#text) return this.#fields
    const raw = readFields(text)
    const fields = raw && readHeadFields(raw)
    if (text.length <= KEPT_CHARS_MAX) {
      this.#text = text
      this.#fields = fields
    }
    return fields
  }
}
