/**
 * A JSON Schema as people read it: `{ sku: text, quantity: 1…99, note?: text }`.
 *
 * @module
 */

type Schema = Readonly<Record<string, unknown>>

const DEPTH_MAX = 6
const WIDTH_MAX = 72

/** The shape of `schema`, over several lines where it is long; a named schema is only named. */
export function schemaText(schema: unknown, indent = ''): string {
  return text(schema as Schema, indent, 0)
}

function text(schema: Schema, indent: string, depth: number): string {
  const { $ref, anyOf, allOf, const: only, enum: values, type } = schema
  if (typeof $ref === 'string') return $ref.split('/').at(-1) as string
  if (only !== undefined) return JSON.stringify(only)
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' | ')
  if (Array.isArray(anyOf)) return anyOf.map((one) => text(one as Schema, indent, depth)).join(' | ')
  if (Array.isArray(allOf)) return allOf.map((one) => text(one as Schema, indent, depth)).join(' & ')
  if (depth > DEPTH_MAX) return '…'
  switch (type) {
    case 'object':
      return objectText(schema, indent, depth)
    case 'array':
      return `[${text((schema['items'] ?? {}) as Schema, indent, depth + 1)}, …]`
    case 'string':
      return stringText(schema)
    case 'integer':
    case 'number':
      return numberText(schema, type)
    case 'boolean':
      return 'true | false'
    case 'null':
      return 'null'
    default:
      return 'anything'
  }
}

function objectText(schema: Schema, indent: string, depth: number): string {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>
  const required = new Set((schema['required'] ?? []) as readonly string[])
  const inner = `${indent}  `
  const fields = Object.entries(properties).map(
    ([name, property]) => `${name}${required.has(name) ? '' : '?'}: ${text(property, inner, depth + 1)}`,
  )
  const patterns = Object.values((schema['patternProperties'] ?? {}) as Readonly<Record<string, Schema>>)
  fields.push(...patterns.map((property) => `…: ${text(property, inner, depth + 1)}`))
  if (fields.length === 0) return '{}'
  const oneLine = `{ ${fields.join(', ')} }`
  if (oneLine.length + indent.length <= WIDTH_MAX && !oneLine.includes('\n')) return oneLine
  return `{\n${fields.map((field) => `${inner}${field}`).join('\n')}\n${indent}}`
}

function stringText({ format, minLength, maxLength }: Schema): string {
  if (format === 'date-time') return 'time'
  if (typeof format === 'string') return format
  // That a text is not empty goes without saying.
  const isLong = typeof minLength === 'number' && minLength > 1
  if (typeof maxLength !== 'number') return isLong ? `text ≥ ${minLength}` : 'text'
  return isLong ? `text ${minLength}…${maxLength}` : `text ≤ ${maxLength}`
}

function numberText({ minimum, maximum }: Schema, type: string): string {
  if (minimum !== undefined && maximum !== undefined) return `${minimum}…${maximum}`
  if (minimum !== undefined) return `${type} ≥ ${minimum}`
  return maximum === undefined ? type : `${type} ≤ ${maximum}`
}
