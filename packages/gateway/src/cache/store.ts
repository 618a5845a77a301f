/**
 * Where answers are kept: so many bytes of them, the longest unused forgotten first, found by their key and forgotten by their tags.
 *
 * @module
 */
import { LRUCache } from 'lru-cache'
import { bytesOf, type Entry } from './entry.ts'
import { Generations } from './generations.ts'

/** Changes that are remembered by tag: those of as many seconds as a call takes, at a thousand a second. */
const CHANGES_MAX = 10_000
/** One that is larger than this share of all is not kept: it would push out too many others. */
const ENTRY_SHARE = 1 / 16
/** An answer that tells of more things than this is not kept. */
const TAGS_MAX = 256

/** The store. */
export class Store {
  readonly #bytesMax: number
  readonly #entries: LRUCache<string, Entry>
  readonly #byTag = new Map<string, Set<string>>()
  readonly #generations: Generations

  /** `onEvicted` is told of entries that had to go for want of room. */
  constructor(bytesMax: number, onEvicted: (entry: Entry) => void = () => {}, changesMax = CHANGES_MAX) {
    this.#bytesMax = bytesMax
    this.#generations = new Generations(changesMax)
    this.#entries = new LRUCache<string, Entry>({
      // That bounds their number, too: the smallest takes half a kilobyte.
      maxSize: bytesMax,
      sizeCalculation: bytesOf,
      dispose: (entry, _, reason) => {
        this.#untag(entry)
        if (reason === 'evict') onEvicted(entry)
      },
    })
  }

  get count(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#entries.calculatedSize
  }

  /** What who is about to read takes along. */
  get generation(): number {
    return this.#generations.now
  }

  /** The generation of the latest change of any of these. */
  latestChange(tags: readonly string[]): number {
    return this.#generations.latestOf(tags)
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  /** Keeps what was read at `generation`; false when it may be overtaken, or is too large. */
  put(entry: Entry, generation: number): boolean {
    const { key, tags } = entry
    const isFit = tags.length <= TAGS_MAX && bytesOf(entry) <= this.#bytesMax * ENTRY_SHARE
    if (!isFit || this.latestChange(tags) > generation) return false
    // Somebody was quicker who began later.
    if ((this.#entries.peek(key)?.bornMs ?? entry.bornMs) > entry.bornMs) return false
    // The one before is untagged by this; its tags may be the same, so the new one's come after it.
    this.#entries.set(key, entry)
    for (const tag of tags) {
      const keys = this.#byTag.get(tag)
      if (keys === undefined) this.#byTag.set(tag, new Set([key]))
      else keys.add(key)
    }
    return true
  }

  /** Forgets one answer. */
  delete(key: string): void {
    this.#entries.delete(key)
  }

  /** Forgets what tells of these; how many answers. */
  changed(tags: readonly string[]): number {
    this.#generations.changed(tags)
    const before = this.count
    for (const tag of tags) for (const key of [...(this.#byTag.get(tag) ?? [])]) this.#entries.delete(key)
    return before - this.count
  }

  /** Forgets everything; how many answers. */
  allChanged(): number {
    this.#generations.allChanged()
    const { count } = this
    this.#entries.clear()
    return count
  }

  #untag({ key, tags }: Entry): void {
    for (const tag of tags) {
      const keys = this.#byTag.get(tag)
      keys?.delete(key)
      if (keys?.size === 0) this.#byTag.delete(tag)
    }
  }
}
