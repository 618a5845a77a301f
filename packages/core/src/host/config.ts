/**
 * Configuration from environment variables, checked against a schema before anything starts.
 *
 * @source https://12factor.net/config
 * @module
 */
import { issuesIn, type Static, type TSchema } from '../contract/schema.ts'

/** What environment variables look like. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Settings that cannot be used; one line for each mistake. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(mistakes.join('\n'))
    this.mistakes = mistakes
  }
}

interface FieldSchema {
  readonly type?: string
  readonly default?: unknown
  readonly description?: string
}

/**
 * Reads the fields of an object schema from variables named `<prefix>_<FIELD>`: `tokenMinutes` of `auth` is
 * `AUTH_TOKEN_MINUTES`. An absent or empty variable takes the field's default.
 *
 * @throws ConfigError naming every variable that is missing or wrong, what it is for, and what it should be.
 */
export function readConfig<S extends TSchema>(
  schema: S,
  prefix: string,
  environment: Environment,
): Static<S> {
  const { properties = {} } = schema as { properties?: Readonly<Record<string, FieldSchema>> }
  const config: Record<string, unknown> = {}
  for (const [field, { type, default: fallback }] of Object.entries(properties)) {
    const text = environment[variableName(prefix, field)]
    const value = text === undefined || text === '' ? fallback : parse(type, text)
    if (value !== undefined) config[field] = value
  }
  const issues = issuesIn(schema, config)
  if (issues === undefined) return config as Static<S>
  throw new ConfigError(
    issues.map(({ pointer, message }) => {
      const field = pointer.split('/')[1] ?? ''
      const name = variableName(prefix, field)
      const purpose = properties[field]?.description
      const given = environment[name]
      // The value is not shown: it may be a secret.
      const what = given === undefined || given === '' ? 'is not set' : `is not usable: it ${message}`
      return `${name} ${what}${purpose === undefined ? '' : ` (${purpose})`}`
    }),
  )
}

/** `auth` and `tokenMinutes` make `AUTH_TOKEN_MINUTES`. */
export function variableName(prefix: string, field: string): string {
  const words = `${prefix}-${field.replace(/([a-z0-9])([A-Z])/g, '$1-$2')}`
  return words.replaceAll('-', '_').toUpperCase()
}

function parse(type: string | undefined, text: string): unknown {
  if (type === 'integer' || type === 'number') return text.trim() === '' ? text : Number(text)
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (type === 'array') return text.split(',').map((item) => item.trim())
  return text
}
