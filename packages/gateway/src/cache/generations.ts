/**
 * The order of changes and readings, so that what was read before a change is not kept after it.
 *
 * Every change has a number, its *generation*. Who is about to read takes the generation of that moment along; when the answer is
 * there, and something it tells of changed at a later one, it may be the old answer, and is not kept. That closes the race of
 * "forget, then a slow reader writes the old value".
 *
 * Only the latest changes are remembered by tag. Of what was changed before, it is known no more, so a reading from before then
 * counts as overtaken. Pure.
 *
 * @module
 */

/** Changes, numbered. */
export class Generations {
  readonly #tagsMax: number
  /** The latest change of a tag; the longest unchanged first. */
  readonly #latest = new Map<string, number>()
  #now = 0
  /** Everything may have changed up to here. */
  #floor = 0

  /** Remembers the changes of so many tags. */
  constructor(tagsMax: number) {
    this.#tagsMax = tagsMax
  }

  /** Of the latest change; what is read from now on has it. */
  get now(): number {
    return this.#now
  }

  /** These have changed. */
  changed(tags: Iterable<string>): void {
    const generation = ++this.#now
    for (const tag of tags) {
      // Set anew at the end.
      this.#latest.delete(tag)
      this.#latest.set(tag, generation)
    }
    for (const [tag, forgotten] of this.#latest) {
      if (this.#latest.size <= this.#tagsMax) break
      this.#latest.delete(tag)
      this.#floor = forgotten
    }
  }

  /** Everything may have. */
  allChanged(): void {
    this.#floor = ++this.#now
    this.#latest.clear()
  }

  /** The generation of the latest change of any of these; of a reading with an earlier one it is not known what it has seen. */
  latestOf(tags: readonly string[]): number {
    let latest = this.#floor
    for (const tag of tags) latest = Math.max(latest, this.#latest.get(tag) ?? 0)
    return latest
  }
}
