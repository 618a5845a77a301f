/**
 * Pieces of OTLP in its JSON form that traces and metrics share.
 *
 * @source https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 * @module
 */
import type { Attributes } from './spans.ts'

/** One attribute as OTLP writes it. */
export interface KeyValue {
  readonly key: string
  readonly value:
    | { readonly stringValue: string }
    | { readonly boolValue: boolean }
    | { readonly intValue: string }
    | { readonly doubleValue: number | string }
}

/** What a process says of itself, for each of its services. */
export interface ResourceFacts {
  readonly app: string
  readonly instance: string
  readonly version: string
  /** What the operator adds. */
  readonly attributes: Attributes
}

/** The resource of one service of a process. */
export function resourceOf({ app, instance, version, attributes }: ResourceFacts, service: string) {
  const facts: Attributes = {
    'service.name': service,
    'service.namespace': app,
    'service.instance.id': instance,
    'service.version': version,
    'telemetry.sdk.name': 'flotilla',
    'telemetry.sdk.language': 'nodejs',
    ...attributes,
  }
  return { attributes: keyValues(facts) }
}

/** Attributes as OTLP writes them. */
export function keyValues(attributes: Attributes): readonly KeyValue[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }))
}

function anyValue(value: string | number | boolean): KeyValue['value'] {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (Number.isSafeInteger(value)) return { intValue: String(value) }
  // JSON has no number for NaN and the infinities: the form of protobuf names them.
  return { doubleValue: Number.isFinite(value) ? value : String(value) }
}

/** `ms` since 1970 as the decimal nanoseconds of OTLP; a number could not hold them. */
export function nanos(ms: number): string {
  const whole = Math.floor(ms)
  const rest = Math.min(999_999, Math.max(0, Math.round((ms - whole) * 1e6)))
  return `${whole}${String(rest).padStart(6, '0')}`
}
