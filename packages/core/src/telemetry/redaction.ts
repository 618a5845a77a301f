/**
 * Takes out of what is to be logged what must not be there, wherever it stands.
 *
 * @module
 */

const CENSORED = '[redacted]'
const DEEPEST = 8
const TOO_DEEP = '[too deep]'

/** Whatever a contract says. */
const ALWAYS = [
  'password',
  'passwordHash',
  'token',
  'accessToken',
  'refreshToken',
  'apiKey',
  'secret',
  'authorization',
  'cookie',
  'paymentToken',
]

/** The names of fields that are never written. */
export class Redaction {
  readonly #names = new Set<string>(ALWAYS)

  /** From now on these are not written either. */
  add(names: Iterable<string>): void {
    for (const name of names) this.#names.add(name)
  }

  /** `fields` without what is not to be written: the same object where there is nothing of that. */
  apply<T extends object>(fields: T): T {
    return this.#clean(fields, 0) as T
  }

  #clean(value: unknown, depth: number): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (depth > DEEPEST) return TOO_DEEP
    if (Array.isArray(value)) return this.#cleanList(value, depth)
    // What knows how to show itself, as a date does, has no fields to look at. Errors are shown by who writes the line.
    if (value instanceof Error || typeof (value as { toJSON?: unknown }).toJSON === 'function') return value
    let clean: Record<string, unknown> | undefined
    for (const [name, inner] of Object.entries(value)) {
      const kept = this.#names.has(name) ? CENSORED : this.#clean(inner, depth + 1)
      if (kept === inner) continue
      clean ??= { ...value }
      clean[name] = kept
    }
    return clean ?? value
  }

  #cleanList(list: readonly unknown[], depth: number): readonly unknown[] {
    const clean = list.map((item) => this.#clean(item, depth + 1))
    return clean.some((item, index) => item !== list[index]) ? clean : list
  }
}
