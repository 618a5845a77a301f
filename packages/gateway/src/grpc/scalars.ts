/**
 * Numbers, texts and bytes of Protocol Buffers as JSON, both ways. Pure.
 *
 * @source protobuf.dev, "ProtoJSON format"
 * @module
 */
import type { ScalarType } from './shape.ts'

type Bounds = readonly [min: bigint, max: bigint]

const INT32: Bounds = [-(2n ** 31n), 2n ** 31n - 1n]
const UINT32: Bounds = [0n, 2n ** 32n - 1n]
const INT64: Bounds = [-(2n ** 63n), 2n ** 63n - 1n]
const UINT64: Bounds = [0n, 2n ** 64n - 1n]
const BOUNDS: Readonly<Partial<Record<ScalarType, Bounds>>> = {
  int32: INT32,
  sint32: INT32,
  sfixed32: INT32,
  uint32: UINT32,
  fixed32: UINT32,
  int64: INT64,
  sint64: INT64,
  sfixed64: INT64,
  uint64: UINT64,
  fixed64: UINT64,
}
const FLOAT_MAX = 3.4028234663852886e38
/** Digits that tell every 32-bit float from its neighbours. */
const FLOAT_DIGITS = [6, 7, 8, 9]
const WHOLE = /^-?\d{1,20}$/
const DECIMAL = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/
const NOT_FINITE = new Set(['NaN', 'Infinity', '-Infinity'])

/** The value as it is written into a message; undefined when `json` is none of this type. Whole numbers of 64 bits become texts. */
export function readScalar(type: ScalarType, json: unknown): unknown {
  const bounds = BOUNDS[type]
  if (bounds !== undefined) return readWhole(bounds, json, type.endsWith('64'))
  if (type === 'double' || type === 'float') return readFloat(json, type === 'float')
  if (type === 'bool') return typeof json === 'boolean' ? json : undefined
  if (typeof json !== 'string') return undefined
  return type === 'bytes' ? readBytes(json) : json
}

/** What `readScalar` wants. */
export function expectedOf(type: ScalarType): string {
  const bounds = BOUNDS[type]
  if (bounds !== undefined) {
    const advice = type.endsWith('64') ? ', as a text where it has more than 15 digits' : ''
    return `must be a whole number from ${bounds[0]} to ${bounds[1]}${advice}`
  }
  if (type === 'double' || type === 'float') return `must be a number (${type})`
  if (type === 'bool') return 'must be true or false'
  return type === 'bytes' ? 'must be bytes in base64' : 'must be a text'
}

function readWhole([min, max]: Bounds, json: unknown, isLong: boolean): string | number | undefined {
  if (typeof json !== 'number' && typeof json !== 'string') return undefined
  if (!(typeof json === 'number' ? Number.isSafeInteger(json) : WHOLE.test(json))) return undefined
  const value = BigInt(json)
  if (value < min || value > max) return undefined
  return isLong ? String(value) : Number(value)
}

function readFloat(json: unknown, isSingle: boolean): number | undefined {
  if (typeof json === 'string' && NOT_FINITE.has(json)) return Number(json)
  const isText = typeof json === 'string' && DECIMAL.test(json)
  const value = isText ? Number(json) : json
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
  return isSingle && Math.abs(value) > FLOAT_MAX ? undefined : value
}

function readBytes(text: string): Buffer | undefined {
  const digits = text.replace(/=+$/, '')
  const isPadded = digits.length === text.length || text.length % 4 === 0
  // It takes both alphabets.
  return BASE64.test(text) && isPadded && digits.length % 4 !== 1 ? Buffer.from(digits, 'base64') : undefined
}

/** The value as JSON: whole numbers of 64 bits as texts, bytes in base64. */
export function writeScalar(type: ScalarType, value: unknown): unknown {
  if (type === 'bytes') return Buffer.from(value as Uint8Array).toString('base64')
  if (type.endsWith('64')) return String(value)
  if (type !== 'double' && type !== 'float') return value
  const number = value as number
  if (!Number.isFinite(number)) return String(number)
  return type === 'float' ? shortest(number) : number
}

/** What a field says that is not there and has no way of being absent. */
export function defaultOf(type: ScalarType): unknown {
  if (type === 'string' || type === 'bytes') return ''
  if (type === 'bool') return false
  return type.endsWith('64') ? '0' : 0
}

/** 0.1 rather than 0.10000000149011612, which is the same in 32 bits. */
function shortest(value: number): number {
  const texts = FLOAT_DIGITS.map((digits) => Number(value.toPrecision(digits)))
  return texts.find((one) => Math.fround(one) === value) ?? value
}
