/**
 * A map from numbers that come and go by the thousand a second, as those of calls do.
 *
 * In V8 a `Map` that has seen enough additions and removals gets a new table, and the old table goes on pointing at it, for iterators
 * that are under way. Once one table has lived long enough to be moved to the old generation, all its successors are
 * kept from there, dead as they are, with every value they held when they were replaced: nothing a call has made is collected before the next full collection.
 * A process that only made calls spent half its time collecting garbage (`docs/decisions/0005-replies-by-callback.md`). Here values stand in an array,
 * in the place that the last digits of their number say; the few that find it taken stand in a `Map` after all.
 *
 * @module
 */
const PLACES_MIN = 64
const PLACES_MAX = 65_536

/** A map whose keys are whole numbers from 0 to 2^32 - 1. */
export class NumberMap<V extends object> {
  #places: (V | undefined)[] = new Array<V | undefined>(PLACES_MIN).fill(undefined)
  #keys = new Uint32Array(PLACES_MIN)
  #taken = 0
  readonly #others = new Map<number, V>()

  /** How many there are. */
  get size(): number {
    return this.#taken + this.#others.size
  }

  /** The value of a number. */
  get(key: number): V | undefined {
    const place = key & (this.#places.length - 1)
    const value = this.#places[place]
    if (value !== undefined && this.#keys[place] === key) return value
    return this.#others.size === 0 ? undefined : this.#others.get(key)
  }

  /** True when it has one. */
  has(key: number): boolean {
    return this.get(key) !== undefined
  }

  /** Gives the number a value. */
  set(key: number, value: V): void {
    const place = key & (this.#places.length - 1)
    const there = this.#places[place]
    if (there !== undefined && this.#keys[place] !== key) return this.#setElsewhere(key, value)
    if (there === undefined) {
      this.#others.delete(key)
      this.#taken++
    }
    this.#places[place] = value
    this.#keys[place] = key
  }

  /** Takes it away again. */
  delete(key: number): void {
    const place = key & (this.#places.length - 1)
    if (this.#places[place] !== undefined && this.#keys[place] === key) {
      this.#places[place] = undefined
      this.#taken--
    } else if (this.#others.size > 0) this.#others.delete(key)
  }

  /** All values, in no order. */
  values(): V[] {
    return [...this.#places.filter((value) => value !== undefined), ...this.#others.values()]
  }

  /** Takes all away. */
  clear(): void {
    this.#places.fill(undefined)
    this.#taken = 0
    this.#others.clear()
  }

  /** Its place is taken: by a number of long ago, or because there are too few places. */
  #setElsewhere(key: number, value: V): void {
    const { length } = this.#places
    if (this.#taken < length / 2 || length === PLACES_MAX) {
      this.#others.set(key, value)
      return
    }
    const entries = this.#places.flatMap((its, place) =>
      its === undefined ? [] : [[this.#keys[place] as number, its] as const],
    )
    entries.push(...this.#others, [key, value])
    this.#places = new Array<V | undefined>(length * 2).fill(undefined)
    this.#keys = new Uint32Array(length * 2)
    this.#taken = 0
    this.#others.clear()
    for (const [one, its] of entries) this.set(one, its)
  }
}
