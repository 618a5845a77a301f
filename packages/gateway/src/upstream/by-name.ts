/**
 * Foreign servers by the names that the policies give them.
 *
 * @module
 */

/** Those that hold now. A change of the policies leaves those that stay as they are their connections. */
export class ByName<S, T extends { close(): unknown }> {
  readonly #open: (settings: S) => T
  #opened = new Map<string, T>()

  constructor(open: (settings: S) => T) {
    this.#open = open
  }

  /** All of them. */
  get all(): readonly T[] {
    return [...this.#opened.values()]
  }

  /** From now on there are these; others close when their exchanges have ended. */
  replace(settings: Readonly<Record<string, S>>): ReadonlyMap<string, T> {
    const before = this.#opened
    this.#opened = new Map()
    const byName = new Map<string, T>()
    for (const [name, its] of Object.entries(settings)) {
      const id = JSON.stringify([name, its])
      const one = before.get(id) ?? this.#open(its)
      before.delete(id)
      this.#opened.set(id, one)
      byName.set(name, one)
    }
    for (const gone of before.values()) void gone.close()
    return byName
  }
}
