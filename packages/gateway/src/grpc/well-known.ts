/**
 * The messages of Protocol Buffers that have a JSON of their own: times, durations, masks, and JSON itself. Pure.
 *
 * @source protobuf.dev, "ProtoJSON format"; the comments of google/protobuf/{timestamp,duration,field_mask,struct}.proto
 * @module
 */
import { isoTime, parseIsoTime } from '@flotilla/core/clock'
import type { Fields } from './shape.ts'

/** How one of them is read and written. */
export interface WellKnown {
  /** Undefined when `json` is none. */
  readonly read: (json: unknown) => Fields | undefined
  readonly write: (fields: Fields) => unknown
  /** What `read` wants. */
  readonly expected: string
}

const MS = 1_000
const SECONDS_MIN = -62_135_596_800
const SECONDS_MAX = 253_402_300_799
const DURATION_SECONDS_MAX = 315_576_000_000
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/
const DURATION = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/
const MASK = /^(?:[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)*(?:,[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)*)*)?$/

const timestamp: WellKnown = {
  expected: 'must be a time such as 2026-11-20T10:00:00.5Z',
  read(json) {
    const [, time = '', fraction = '', zone = ''] = (typeof json === 'string' && TIME.exec(json)) || []
    const ms = parseIsoTime(`${time}Z`)
    // Days that there are not would be read as later ones.
    if (time === '' || Number.isNaN(ms) || isoTime(ms).slice(0, time.length) !== time) return undefined
    const seconds = parseIsoTime(`${time}${zone}`) / MS
    const isWithin = seconds >= SECONDS_MIN && seconds <= SECONDS_MAX
    return isWithin ? { seconds: String(seconds), nanos: nanosOf(fraction) } : undefined
  },
  write: ({ seconds = 0, nanos = 0 }) =>
    `${isoTime(Number(seconds) * MS).slice(0, 19)}${fractionOf(Number(nanos))}Z`,
}

const duration: WellKnown = {
  expected: 'must be a time in seconds such as 1.5s',
  read(json) {
    const [, sign = '', seconds = '', fraction = ''] = (typeof json === 'string' && DURATION.exec(json)) || []
    if (seconds === '' || Number(seconds) > DURATION_SECONDS_MAX) return undefined
    const factor = sign === '' ? 1 : -1
    return { seconds: String(factor * Number(seconds)), nanos: factor * nanosOf(fraction) }
  },
  write({ seconds = 0, nanos = 0 }) {
    const [whole, part] = [Number(seconds), Number(nanos)]
    const sign = whole < 0 || part < 0 ? '-' : ''
    return `${sign}${Math.abs(whole)}${fractionOf(Math.abs(part))}s`
  },
}

const fieldMask: WellKnown = {
  expected: 'must be names of fields in lowerCamelCase, with commas between them',
  read(json) {
    if (typeof json !== 'string' || !MASK.test(json)) return undefined
    const paths = json === '' ? [] : json.split(',')
    return { paths: paths.map((path) => path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)) }
  },
  write: ({ paths = [] }) =>
    (paths as readonly string[])
      .map((path) => path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()))
      .join(','),
}

const value: WellKnown = { expected: 'must be JSON', read: readValue, write: writeValue }

const list: WellKnown = {
  expected: 'must be a list',
  read: (json) => (Array.isArray(json) ? { values: json.map(readValue) } : undefined),
  write: ({ values = [] }) => (values as readonly Fields[]).map(writeValue),
}

const struct: WellKnown = {
  expected: 'must be an object',
  read: (json) => (isObject(json) ? { fields: mapValues(json, readValue) } : undefined),
  write: ({ fields = {} }) => mapValues(fields as Record<string, Fields>, writeValue),
}

/** By their names. */
export const wellKnown: ReadonlyMap<string, WellKnown> = new Map([
  ['google.protobuf.Timestamp', timestamp],
  ['google.protobuf.Duration', duration],
  ['google.protobuf.FieldMask', fieldMask],
  ['google.protobuf.Value', value],
  ['google.protobuf.ListValue', list],
  ['google.protobuf.Struct', struct],
])

function readValue(json: unknown): Fields {
  if (json === null || json === undefined) return { nullValue: 0 }
  if (typeof json === 'boolean') return { boolValue: json }
  if (typeof json === 'number') return { numberValue: json }
  if (typeof json === 'string') return { stringValue: json }
  return Array.isArray(json) ? { listValue: list.read(json) } : { structValue: struct.read(json) }
}

function writeValue(fields: Fields): unknown {
  const has = (name: string): boolean => Object.hasOwn(fields, name)
  if (has('listValue')) return list.write(fields['listValue'] as Fields)
  if (has('structValue')) return struct.write(fields['structValue'] as Fields)
  for (const name of ['boolValue', 'numberValue', 'stringValue']) if (has(name)) return fields[name]
  return null
}

function mapValues<T, U>(values: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(values).map(([name, one]) => [name, map(one)]))
}

function nanosOf(fraction: string): number {
  return Number(fraction.padEnd(9, '0'))
}

/** With 0, 3, 6 or 9 digits. */
function fractionOf(nanos: number): string {
  if (nanos === 0) return ''
  return `.${String(nanos)
    .padStart(9, '0')
    .replace(/(?:000){1,2}$/, '')}`
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}
