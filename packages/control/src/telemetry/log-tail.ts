/**
 * Reads log files on as they grow, and goes on where it was after a restart.
 *
 * Places are written down after the lines before them are on the disk. So a kill loses no line; those of the last moment may come twice.
 *
 * @module
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import type { Clock } from '@flotilla/core/clock'
import { readLogLines } from './log-lines.ts'
import { type Place, readOn, START, stampOf } from './log-place.ts'
import type { StoredLine } from './rows.ts'

/** A file, and the process that writes it. */
export interface TailedFile {
  readonly process: string
  readonly path: string
}

/** What it is made of. */
export interface LogTailOptions {
  /** Asked each time, since processes come and go. */
  readonly files: () => readonly TailedFile[]
  /** Where the places are written down. */
  readonly placesPath: string
  readonly clock: Clock
  readonly take: (lines: readonly StoredLine[]) => void
  /** Resolves when what was taken is on the disk. */
  readonly flush: () => Promise<void>
}

/** The reader. */
export class LogTail {
  readonly #options: LogTailOptions
  readonly #places: Map<string, Place>
  /** What files were like before they were read to their end: most are as they were when they are looked at again. */
  readonly #stamps = new Map<string, string>()
  /** There are places that were not written down. */
  #hasNew = false

  private constructor(options: LogTailOptions, places: Map<string, Place>) {
    this.#options = options
    this.#places = places
  }

  /** Begins where an earlier one was; at the beginning of files that are not known, or when nobody knows. */
  static async open(options: LogTailOptions): Promise<LogTail> {
    return new LogTail(options, await readPlaces(options.placesPath))
  }

  /**
   * Reads each file on to its end. To be called again and again, one after the other. Rejects when what was taken could not be written, it is
   * not taken twice for that; and when a file could not be read, after all the others were.
   */
  async poll(): Promise<void> {
    const paths = new Set<string>()
    const unread: unknown[] = []
    for (const file of this.#options.files()) {
      paths.add(file.path)
      const stamp = await stampOf(file.path, this.#options.clock.now())
      if (stamp !== undefined && stamp === this.#stamps.get(file.path)) continue
      this.#stamps.delete(file.path)
      const isRead = await this.#readToEnd(file, (error) => unread.push(error))
      if (isRead && stamp !== undefined) this.#stamps.set(file.path, stamp)
    }
    for (const known of [this.#places, this.#stamps])
      for (const path of known.keys()) if (!paths.has(path)) known.delete(path)
    await this.#writeDown()
    // Whoever cannot be read does not stop the others.
    if (unread.length > 0) throw unread[0]
  }

  /** False, and `onUnread` is told: it could not be read. */
  async #readToEnd({ process, path }: TailedFile, onUnread: (error: unknown) => void): Promise<boolean> {
    const { take, flush, clock } = this.#options
    for (;;) {
      const before = this.#places.get(path) ?? START
      const piece = await readOn(path, before).catch((error: unknown) => {
        onUnread(error)
        return undefined
      })
      if (piece === undefined) return false
      take(readLogLines(piece.lines, { process, readAtUs: clock.now() * 1_000 }))
      this.#places.set(path, piece.place)
      this.#hasNew ||= JSON.stringify(piece.place) !== JSON.stringify(before)
      if (!piece.isMore) return true
      // What waits is bounded: the next piece is read when this one is written.
      await flush()
    }
  }

  async #writeDown(): Promise<void> {
    if (!this.#hasNew) return
    await this.#options.flush()
    await writePlaces(this.#options.placesPath, this.#places)
    this.#hasNew = false
  }
}

async function readPlaces(path: string): Promise<Map<string, Place>> {
  try {
    return new Map(JSON.parse(await readFile(path, 'utf8')) as [string, Place][])
  } catch {
    // Not there yet, or not readable: then all is read from the beginning, which is better than not at all.
    return new Map()
  }
}

async function writePlaces(path: string, places: ReadonlyMap<string, Place>): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify([...places]), { mode: 0o600 })
  await rename(`${path}.new`, path)
}
