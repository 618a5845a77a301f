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
import { type Place, readOn, START } from './log-place.ts'
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
    const { files, take, flush, clock } = this.#options
    const paths = new Set<string>()
    const unread: unknown[] = []
    for (const { process, path } of files()) {
      paths.add(path)
      for (let isMore = true; isMore; ) {
        const before = this.#places.get(path) ?? START
        const piece = await readOn(path, before).catch((error: unknown) => {
          unread.push(error)
          return undefined
        })
        if (piece === undefined) break
        take(readLogLines(piece.lines, { process, readAtUs: clock.now() * 1_000 }))
        this.#places.set(path, piece.place)
        this.#hasNew ||= JSON.stringify(piece.place) !== JSON.stringify(before)
        isMore = piece.isMore
        // What waits is bounded: the next piece is read when this one is written.
        if (isMore) await flush()
      }
    }
    for (const path of this.#places.keys()) if (!paths.has(path)) this.#places.delete(path)
    await this.#writeDown()
    // Whoever cannot be read does not stop the others.
    if (unread.length > 0) throw unread[0]
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
