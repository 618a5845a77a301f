/**
 * What the telemetry store keeps: spans, log lines and samples, and how they become rows.
 *
 * A row is bounded whatever comes in: names and texts are cut, fields that are too many or too long are left out and say so. Fields are
 * *flat*: what is nested is named by its path, `error.code`, so that a field has one name in searches, answers and OpenTelemetry's conventions.
 *
 * Beside its fields each line has a *search text*, in lower case: the message, and a line `name=value` for every field. Whatever is searched is
 * searched in it alone, by one scan.
 *
 * @module
 */

/** Values by name; as they come in they may be nested, as they go out they are flat. */
export type Fields = Readonly<Record<string, unknown>>

/** The side of something that a span tells of. */
export const spanKinds = ['internal', 'server', 'client', 'producer', 'consumer'] as const

/** One of them. */
export type SpanKind = (typeof spanKinds)[number]

/** Levels of log lines, the chattiest first. What other systems call trace is `debug`, what they call fatal is `error`. */
export const lineLevels = ['debug', 'info', 'warn', 'error'] as const

/** One of them. */
export type LineLevel = (typeof lineLevels)[number]

/** Something that happened at a moment of a span. */
export interface SpanEvent {
  readonly name: string
  /** Microseconds since 1970. */
  readonly timeUs: number
  readonly attributes?: Fields
}

/** A finished span. */
export interface StoredSpan {
  /** 32 hexadecimal digits, in lower case. */
  readonly traceId: string
  /** 16 hexadecimal digits, in lower case. */
  readonly spanId: string
  /** Absent: the first span of its trace. */
  readonly parentId?: string | undefined
  readonly name: string
  readonly kind: SpanKind
  readonly service: string
  readonly instance: string
  /** Microseconds since 1970. */
  readonly startUs: number
  readonly durationUs: number
  /** `ok`, or the code of the failure; `error` where a foreign client says no more. */
  readonly status: string
  readonly attributes?: Fields | undefined
  readonly events?: readonly SpanEvent[] | undefined
  /** What foreign clients say of the process besides its service and instance. */
  readonly resource?: Fields | undefined
}

/** A line of a log. */
export interface StoredLine {
  /** Microseconds since 1970. */
  readonly timeUs: number
  readonly level: LineLevel
  readonly service: string
  readonly instance: string
  readonly message: string
  readonly traceId?: string | undefined
  readonly spanId?: string | undefined
  readonly fields?: Fields | undefined
}

/** A number at a time. A bucket of a histogram is a counter whose label `le` is its upper bound, as Prometheus has it. */
export interface StoredSample {
  /** Milliseconds since 1970. */
  readonly timeMs: number
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** A counter only grows, but for the beginning of a new process. */
  readonly type: 'counter' | 'gauge'
  readonly value: number
  /**
   * Of a counter: since when it counts, in milliseconds since 1970; what a new one has counted since then belongs to its first sample. Absent:
   * nobody knows, and a new one is only a place to count from.
   */
  readonly sinceMs?: number | undefined
  /** Of a counter that tells what was added since it told last: that, in place of what follows from `value`. */
  readonly increase?: number | undefined
}

/** A cell of a row. */
export type Cell = string | number | bigint | null

/** A row that waits to be written, and about how much memory it holds. */
export interface WaitingRow {
  readonly cells: readonly Cell[]
  readonly timeUs: number
  readonly bytes: number
}

const NAME_CHARS_MAX = 200
const MESSAGE_CHARS_MAX = 4_096
const VALUE_CHARS_MAX = 4_096
const FIELDS_MAX = 64
const FIELDS_CHARS_MAX = 16_384
const DEPTH_MAX = 5
const EVENTS_MAX = 32
/** What a row holds besides its texts. */
const ROW_BYTES = 200

/** The row of a span, in the order of the table's columns. */
export function spanRow(span: StoredSpan): WaitingRow {
  const cells: Cell[] = [
    cut(span.traceId, 32),
    cut(span.spanId, 16),
    span.parentId ? cut(span.parentId, 16) : null,
    cut(span.name, NAME_CHARS_MAX),
    spanKinds.indexOf(span.kind),
    cut(span.service, NAME_CHARS_MAX),
    cut(span.instance, NAME_CHARS_MAX),
    BigInt(Math.trunc(span.startUs)),
    span.durationUs > 0 ? BigInt(Math.trunc(Math.min(span.durationUs, Number.MAX_SAFE_INTEGER))) : 0n,
    cut(span.status, NAME_CHARS_MAX),
    jsonOf(span.attributes),
    span.events?.length ? eventsJson(span.events) : null,
    jsonOf(span.resource),
  ]
  return { cells, timeUs: span.startUs, bytes: bytesOf(cells) }
}

/** The row of a line, in the order of the table's columns; `seq` is its place in the order of arrival. */
export function lineRow(line: StoredLine, seq: number): WaitingRow {
  const message = cut(line.message, MESSAGE_CHARS_MAX)
  const fields = flat(line.fields)
  const cells: Cell[] = [
    BigInt(Math.trunc(line.timeUs)),
    BigInt(seq),
    lineLevels.indexOf(line.level),
    cut(line.service, NAME_CHARS_MAX),
    cut(line.instance, NAME_CHARS_MAX),
    message,
    line.traceId ? cut(line.traceId, 32) : null,
    line.spanId ? cut(line.spanId, 16) : null,
    fields === undefined ? null : JSON.stringify(fields),
    searchText(message, fields ?? {}),
  ]
  return { cells, timeUs: line.timeUs, bytes: bytesOf(cells) }
}

/** A text as searches compare it: one line, in lower case. */
export function searchable(text: string): string {
  return oneLine(text).toLowerCase()
}

function searchText(message: string, fields: Fields): string {
  let text = oneLine(message)
  for (const [name, value] of Object.entries(fields)) {
    text += `\n${oneLine(name)}=${typeof value === 'string' ? oneLine(value) : value}`
  }
  return `${text}\n`.toLowerCase()
}

function oneLine(text: string): string {
  return text.includes('\n') ? text.replaceAll('\n', ' ') : text
}

/** What is left to be filled. */
interface Room {
  fields: number
  chars: number
}

/** Fields by the path to them; undefined when there are none. */
function flat(fields: Fields | undefined): Fields | undefined {
  if (fields === undefined) return undefined
  // Without a prototype any name is a name.
  const found: Record<string, unknown> = Object.create(null)
  const room: Room = { fields: FIELDS_MAX, chars: FIELDS_CHARS_MAX }
  flatten('', fields, 1, found, room)
  if (room.chars < 0 || room.fields === 0) found['truncated'] = true
  return room.fields === FIELDS_MAX ? undefined : found
}

function flatten(
  path: string,
  value: object,
  depth: number,
  into: Record<string, unknown>,
  room: Room,
): void {
  for (const [name, inner] of Object.entries(value)) {
    if (room.fields === 0 || room.chars < 0) return
    const its = path === '' ? name : `${path}.${name}`
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner) && depth < DEPTH_MAX) {
      flatten(its, inner, depth + 1, into, room)
      continue
    }
    const scalar = scalarOf(inner)
    if (scalar === undefined) continue
    room.fields--
    room.chars -= its.length + (typeof scalar === 'string' ? scalar.length : 8)
    if (room.chars >= 0) into[cut(its, NAME_CHARS_MAX)] = scalar
  }
}

function scalarOf(value: unknown): string | number | boolean | null | undefined {
  if (typeof value === 'string') return cut(value, VALUE_CHARS_MAX)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value
  if (typeof value === 'bigint') return value.toString()
  const text = value === undefined ? undefined : JSON.stringify(value)
  return text === undefined ? undefined : cut(text, VALUE_CHARS_MAX)
}

function jsonOf(fields: Fields | undefined): string | null {
  const found = flat(fields)
  return found === undefined ? null : JSON.stringify(found)
}

function eventsJson(events: readonly SpanEvent[]): string {
  return JSON.stringify(
    events.slice(0, EVENTS_MAX).map(({ name, timeUs, attributes }) => ({
      name: cut(name, NAME_CHARS_MAX),
      timeUs,
      attributes: flat(attributes) ?? {},
    })),
  )
}

/** NUL is no character of a text for the database. */
function cut(text: string, charsMax: number): string {
  const short = text.length > charsMax ? text.slice(0, charsMax) : text
  return short.includes('\0') ? short.replaceAll('\0', ' ') : short
}

function bytesOf(cells: readonly Cell[]): number {
  let bytes = ROW_BYTES
  for (const cell of cells) if (typeof cell === 'string') bytes += cell.length
  return bytes
}
