/**
 * Reads log files on as they grow, and goes on where it was after a restart.
 *
 * Of each file it remembers a *place*: how far it has read, how the file began, and how the older generation `<path>.1` began. When the file is
 * rotated (docs/decisions/0012-logs.md), its content is copied there and it starts over; so an older generation that begins otherwise is what we
 * were reading, and what was not read yet is at the same place of it, and comes first. A file that begins otherwise without that is a new one.
 *
 * Places are written down after the lines before them are on the disk. So a kill loses no line; those of the last moment may come twice.
 *
 * @module
 */
import { type FileHandle, open, readFile, rename, writeFile } from 'node:fs/promises'
import type { Clock } from '@flotilla/core/clock'
import { readLogLines } from './log-lines.ts'
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

interface Place {
  readonly offset: number
  /** The first bytes of the file, base64; empty when it was empty. */
  readonly head: string
  /** Those of the older generation; empty when there was none. */
  readonly older: string
}

interface Piece {
  readonly lines: readonly string[]
  readonly place: Place
  readonly isMore: boolean
}

const HEAD_BYTES = 120
/** A line longer than that is cut. */
const CHUNK_BYTES_MAX = 512 * 1024
const START: Place = { offset: 0, head: '', older: '' }

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

/** The whole lines after a place, at most a chunk of them. */
async function readOn(path: string, place: Place): Promise<Piece> {
  const now = await readAt(path, place)
  // It is not there: what we know of it may come back.
  if (now === undefined) return { lines: [], place, isMore: false }
  const older = await readAt(`${path}.1`, place)
  const olderHead = older?.head.toString('base64') ?? ''
  const isOther = !isSame(now.head, place.head) || now.fileBytes < place.offset
  // While it is being copied, the older generation is there and the file has not started over.
  const isRotated = olderHead !== place.older && (isOther || place.offset === 0)
  if (!isRotated && !isOther) return pieceOf(now, place, false)
  if (isRotated && older !== undefined && isSame(older.head, place.head) && older.fileBytes > place.offset)
    return { ...pieceOf(older, place, true), isMore: true }
  return { lines: [], place: { ...START, older: olderHead }, isMore: true }
}

interface Chunk {
  readonly fileBytes: number
  readonly head: Buffer
  readonly bytes: Buffer
}

/** What a file has at a place, its size and how it begins; undefined when it is not there. */
async function readAt(path: string, { offset }: Place): Promise<Chunk | undefined> {
  let file: FileHandle | undefined
  try {
    file = await open(path)
    const { size: fileBytes } = await file.stat()
    const read = async (at: number, bytesMax: number): Promise<Buffer> => {
      const buffer = Buffer.alloc(Math.max(0, Math.min(bytesMax, fileBytes - at)))
      const { bytesRead } = await (file as FileHandle).read(buffer, 0, buffer.length, at)
      return buffer.subarray(0, bytesRead)
    }
    return { fileBytes, head: await read(0, HEAD_BYTES), bytes: await read(offset, CHUNK_BYTES_MAX) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  } finally {
    await file?.close()
  }
}

function pieceOf({ fileBytes, head, bytes }: Chunk, { offset, older }: Place, isFinal: boolean): Piece {
  const isLast = offset + bytes.length >= fileBytes
  // The last line may not be written yet; one that fills a chunk is cut, and so is the end of what nobody writes any more.
  const isCut = (isFinal && isLast) || (bytes.length === CHUNK_BYTES_MAX && !bytes.includes('\n'))
  const whole = isCut ? bytes.length : bytes.lastIndexOf('\n') + 1
  const lines = bytes.subarray(0, whole).toString('utf8').split('\n')
  return {
    lines: lines.filter((line) => line !== ''),
    place: { offset: offset + whole, head: head.toString('base64'), older },
    isMore: !isLast,
  }
}

/** Whether a file still begins as it did. */
function isSame(head: Buffer, known: string): boolean {
  const before = Buffer.from(known, 'base64')
  return head.length >= before.length && head.subarray(0, before.length).equals(before)
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
