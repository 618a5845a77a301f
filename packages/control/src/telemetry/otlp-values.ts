/**
 * Pieces of OTLP that traces, logs and metrics share, read from what strangers sent: what is not as it should be is as if it were absent.
 *
 * @module
 */
import type { Fields } from './rows.ts'

/** A request read: rows, and how many were no rows. */
export interface OtlpRows<Row> {
  readonly rows: readonly Row[]
  readonly rejected: number
}

/** Who sent something. */
export interface OtlpSource {
  readonly service: string
  readonly instance: string
  /** What else is known of the process. */
  readonly resource: Fields | undefined
}

type Loose = Readonly<Record<string, unknown>>

/** An object's fields; none of anything else. */
export function objectOf(value: unknown): Loose {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Loose) : {}
}

/** The objects of a list; none of anything else. */
export function listOf(value: unknown): readonly Loose[] {
  return Array.isArray(value) ? value.map(objectOf) : []
}

/** A text, empty for anything else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** A number, also one written as text; NaN for anything else. */
export function numberOf(value: unknown): number {
  return typeof value === 'number'
    ? value
    : typeof value === 'string' && value !== ''
      ? Number(value)
      : Number.NaN
}

/** Microseconds since 1970 from nanoseconds, which come as decimal text; undefined when there are none. */
export function microsOf(value: unknown): number | undefined {
  const text = typeof value === 'number' && value > 0 ? BigInt(Math.trunc(value)).toString() : value
  if (typeof text !== 'string' || !/^\d{4,20}$/.test(text)) return undefined
  // Its last three digits are less than a microsecond.
  return Number(text.slice(0, -3))
}

/** An id of so many hexadecimal digits, in lower case; undefined for anything else, and for zeros. */
export function idOf(value: unknown, digits: number): string | undefined {
  const text = textOf(value).toLowerCase()
  return text.length === digits && /^[0-9a-f]+$/.test(text) && !/^0+$/.test(text) ? text : undefined
}

/** Attributes by name; absent when there are none. */
export function attributesOf(value: unknown): Fields | undefined {
  const list = listOf(value)
  return list.length === 0
    ? undefined
    : Object.fromEntries(list.map((one) => [textOf(one['key']), anyValueOf(one['value'])]))
}

/** A value of any type. */
export function anyValueOf(value: unknown): unknown {
  const any = objectOf(value)
  if ('stringValue' in any) return textOf(any['stringValue'])
  if ('boolValue' in any) return any['boolValue'] === true
  if ('intValue' in any) {
    const number = numberOf(any['intValue'])
    return Number.isSafeInteger(number) ? number : String(any['intValue'])
  }
  if ('doubleValue' in any) return numberOf(any['doubleValue'])
  if ('arrayValue' in any) return listOf(objectOf(any['arrayValue'])['values']).map(anyValueOf)
  if ('kvlistValue' in any) return attributesOf(objectOf(any['kvlistValue'])['values']) ?? {}
  return 'bytesValue' in any ? textOf(any['bytesValue']) : null
}

/** Who sent what carries this resource. */
export function sourceOf(resource: unknown): OtlpSource {
  const {
    'service.name': service,
    'service.instance.id': instance,
    ...rest
  } = attributesOf(objectOf(resource)['attributes']) ?? {}
  return {
    // What OpenTelemetry calls those that do not say.
    service: textOf(service) || 'unknown_service',
    instance: textOf(instance) || textOf(rest['host.name']) || 'unknown',
    resource: Object.keys(rest).length === 0 ? undefined : rest,
  }
}
