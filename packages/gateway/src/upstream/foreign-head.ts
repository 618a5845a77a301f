/**
 * The head of an answer of a foreign server: read by the grammar and nothing beyond it, and what it says of what follows. What has two
 * readings is refused: somebody behind us, or before, would take the other one. Pure.
 *
 * Laxer than for requests in three things, which have one reading all the same: there may be no space after the status, names may have
 * underscores, and a body may end with its connection.
 *
 * @source RFC 9112, 4 to 6 and 9.3; RFC 9110, 7.6.1, 8.6 and 15
 * @module
 */
import { isHopeless, readFields } from '../http/raw-head.ts'

/** A head, by what it means. */
export interface ForeignHead {
  readonly status: number
  /** What may be passed on: names in small letters and values in turn. */
  readonly fields: readonly string[]
  readonly contentType: string | undefined
  /** In bytes; of an answer without a body, what it would have. Undefined: nobody says. */
  readonly contentLength: number | undefined
  readonly isChunked: boolean
  /** The other protocol that the server goes on with, in small letters. */
  readonly upgrade: string | undefined
  /** False when the server closes after the answer. */
  readonly keepsConnection: boolean
  /** How long the server keeps a connection on which nothing happens, in milliseconds; undefined: it does not say. */
  readonly keepMs: number | undefined
}

/** Why a head is refused. */
export interface ForeignRefusal {
  readonly why: string
}

/** Fields of one connection, which end here; and those that the gateway says itself. */
const ENDS_HERE = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'date',
  'server',
  'x-powered-by',
  'x-request-id',
  'traceparent',
  'x-content-type-options',
])
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/
const BEGINNING = 'HTTP/1.'
const CONTENT_LENGTH = /^[0-9]{1,15}$/
const KEEP_S = /(?:^|[,;])[ \t]*timeout[ \t]*=[ \t]*"?([0-9]{1,9})/i
const NO_CONTENT = 204

/** What tells of framing and connection. */
interface Framing {
  length?: string
  coding?: string
  connection?: string
  keepAlive?: string
  upgrade?: string
}

/** Reads a head, without the empty line that ends it. */
export function readForeignHead(text: string): ForeignHead | ForeignRefusal {
  const lineEnd = text.indexOf('\r\n')
  const [, minor, digits] = STATUS_LINE.exec(lineEnd < 0 ? text : text.slice(0, lineEnd)) ?? []
  if (minor === undefined) return refuse('begins with what is no status')
  const raw = lineEnd < 0 ? [] : readFields(text.slice(lineEnd + 2))
  if (raw === undefined) return refuse('has a line that is no field')
  const framing: Framing = {}
  const fields: string[] = []
  let contentType: string | undefined
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] as string).toLowerCase()
    const value = raw[index + 1] as string
    if (!ENDS_HERE.has(name)) {
      if (name === 'content-type') contentType ??= value
      fields.push(name, value)
    } else if (!take(framing, name, value)) return refuse(`has ${name} twice`)
  }
  const status = Number(digits)
  const why = wrongFraming(status, minor, framing)
  if (why !== undefined) return refuse(why)
  return headOf(status, minor, fields, contentType, framing)
}

/** True when what has come of a head can never become a good one. */
export function isHopelessHead(text: string): boolean {
  const beginning = text.slice(0, BEGINNING.length)
  return !BEGINNING.startsWith(beginning) || isHopeless(text)
}

/** False where there may be one, and is another. */
function take(framing: Framing, name: string, value: string): boolean {
  if (name === 'content-length') {
    if (framing.length !== undefined) return false
    framing.length = value
  } else if (name === 'transfer-encoding') {
    if (framing.coding !== undefined) return false
    framing.coding = value.toLowerCase()
  } else if (name === 'connection') framing.connection = joined(framing.connection, value)
  else if (name === 'keep-alive') framing.keepAlive = joined(framing.keepAlive, value)
  else if (name === 'upgrade') framing.upgrade = joined(framing.upgrade, value)
  return true
}

function joined(before: string | undefined, value: string): string {
  const its = value.toLowerCase()
  return before === undefined ? its : `${before},${its}`
}

function wrongFraming(status: number, minor: string, { length, coding }: Framing): string | undefined {
  if (length !== undefined && !CONTENT_LENGTH.test(length)) return 'has a length that is none'
  if (coding !== undefined) {
    if (length !== undefined) return 'has a length and chunks'
    if (coding !== 'chunked') return 'has another coding than chunks'
    if (minor === '0') return 'has chunks, which HTTP/1.0 has not'
  }
  // Of those alone no recipient may read a body, and a sender who says that there is one means another answer.
  if ((status < 200 || status === NO_CONTENT) && (coding !== undefined || Number(length ?? 0) > 0))
    return `has a body, which ${status} has not`
  return undefined
}

function headOf(
  status: number,
  minor: string,
  fields: string[],
  contentType: string | undefined,
  { length, coding, connection, keepAlive, upgrade }: Framing,
): ForeignHead {
  const options = connection === undefined ? [] : connection.split(',').map((option) => option.trim())
  const named = options.filter((option) => option !== 'close' && option !== 'keep-alive')
  const keepS = keepAlive === undefined ? undefined : KEEP_S.exec(keepAlive)?.[1]
  return {
    status,
    fields: named.length === 0 ? fields : without(fields, named),
    contentType,
    contentLength: length === undefined ? undefined : Number(length),
    isChunked: coding !== undefined,
    upgrade: options.includes('upgrade') ? upgrade : undefined,
    // RFC 9112, 9.3; what HTTP/1.0 can do is not asked for.
    keepsConnection: minor === '1' && !options.includes('close'),
    keepMs: keepS === undefined ? undefined : Number(keepS) * 1_000,
  }
}

function without(fields: readonly string[], names: readonly string[]): string[] {
  return fields.filter((_, index) => !names.includes(fields[index - (index % 2)] as string))
}

function refuse(why: string): ForeignRefusal {
  return { why }
}
