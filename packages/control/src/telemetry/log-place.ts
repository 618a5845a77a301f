/**
 * Where somebody is who reads a log file as it grows: a *place* is how far he has read, how the file began, and how the older generation `<path>.1`
 * began.
 *
 * When the file is rotated (docs/decisions/0012-logs.md), its content is copied there and it starts over; so an older generation that begins
 * otherwise is what we were reading, and what was not read yet is at the same place of it, and comes first. A file that begins otherwise without
 * that is a new one.
 *
 * @module
 */
import { type FileHandle, open, stat } from 'node:fs/promises'

/** A place. */
export interface Place {
  readonly offset: number
  /** The first bytes of the file, base64; empty when it was empty. */
  readonly head: string
  /** Those of the older generation; empty when there was none. */
  readonly older: string
}

/** What was read on. */
export interface Piece {
  readonly lines: readonly string[]
  /** Behind them. */
  readonly place: Place
  readonly isMore: boolean
}

const HEAD_BYTES = 120
/** A line longer than that is cut. */
const CHUNK_BYTES_MAX = 512 * 1024
/** File systems tell times of writing in steps of some milliseconds: within one, a file may come to be another of the same length. */
const FRESH_MS = 100
/** Where there is nothing to read. */
const BEYOND = { offset: Number.MAX_SAFE_INTEGER }

/** Before everything. */
export const START: Place = { offset: 0, head: '', older: '' }

/** Behind everything that is there; the beginning of a file that is not. */
export async function endOf(path: string): Promise<Place> {
  const now = await readAt(path, BEYOND)
  return {
    offset: now?.fileBytes ?? 0,
    head: now?.head.toString('base64') ?? '',
    older: await olderHeadOf(path),
  }
}

/** Stays what it is as long as nobody writes to a file. Undefined: it cannot be told, for somebody has just written, or there is no such file. */
export async function stampOf(path: string, nowMs: number): Promise<string | undefined> {
  try {
    const { ino, size, mtimeMs } = await stat(path)
    return nowMs - mtimeMs < FRESH_MS ? undefined : `${ino} ${size} ${mtimeMs}`
  } catch {
    // Reading it says why, where that is of interest.
    return undefined
  }
}

/** The whole lines after a place, at most a chunk of them. */
export async function readOn(path: string, place: Place): Promise<Piece> {
  const now = await readAt(path, place)
  // It is not there: what we know of it may come back.
  if (now === undefined) return { lines: [], place, isMore: false }
  const isOther = !isSame(now.head, place.head) || now.fileBytes < place.offset
  // While it is being copied, the older generation is there and the file has not started over.
  if (!isOther && place.offset > 0) return pieceOf(now, place, false)
  const olderHead = await olderHeadOf(path)
  const isRotated = olderHead !== place.older
  if (!isRotated && !isOther) return pieceOf(now, place, false)
  const older = isRotated ? await readAt(`${path}.1`, place) : undefined
  if (older !== undefined && isSame(older.head, place.head) && older.fileBytes > place.offset)
    return { ...pieceOf(older, place, true), isMore: true }
  return { lines: [], place: { ...START, older: olderHead }, isMore: true }
}

async function olderHeadOf(path: string): Promise<string> {
  return (await readAt(`${path}.1`, BEYOND))?.head.toString('base64') ?? ''
}

interface Chunk {
  readonly fileBytes: number
  readonly head: Buffer
  readonly bytes: Buffer
}

/** What a file has at a place, its size and how it begins; undefined when it is not there. */
async function readAt(path: string, { offset }: Pick<Place, 'offset'>): Promise<Chunk | undefined> {
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
