/**
 * Log lines of many files, as one.
 *
 * @module
 */
import { type FileHandle, open, stat } from 'node:fs/promises'
import type { Clock } from '@flotilla/core/clock'
import { endOf, type Place, readOn, START } from '../telemetry/log-place.ts'

/** A line, and the process that wrote it. */
export interface LogLine {
  readonly process: string
  readonly text: string
}

/** A file, and the process that writes it. */
export interface LogSource {
  readonly process: string
  readonly path: string
}

/** Which lines are wanted. */
export interface LogFilter {
  readonly service?: string | undefined
  /** `field=value`. */
  readonly where?: string | undefined
}

const TAIL_BYTES_MAX = 4 * 1024 * 1024
const POLL_MS = 250

/** The last `count` lines of all sources together, oldest first. */
export async function lastLines(
  sources: readonly LogSource[],
  filter: LogFilter,
  count: number,
): Promise<LogLine[]> {
  const all = await Promise.all(
    sources.map(async ({ process, path }) => {
      // What is no line of ours (a crash printed by Node) belongs after the line before it.
      let time = ''
      const lines = (await readTail(path)).map((text) => {
        time = timeOf(text) ?? time
        return { process, text, time }
      })
      return lines.filter(({ text }) => matches(text, filter)).slice(-count)
    }),
  )
  return all
    .flat()
    .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
    .slice(-count)
    .map(({ process, text }) => ({ process, text }))
}

/** New lines of all sources, as they come; `sources` is asked again and again, since processes come and go. */
export async function* followLines(
  sources: () => readonly LogSource[],
  filter: LogFilter,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const places = new Map<string, Place>()
  for (const { path } of sources()) places.set(path, await endOf(path))
  while (!signal.aborted) {
    for (const { process, path } of sources()) {
      // To its end: whoever falls behind by more than a generation loses what is between.
      for (let isMore = true; isMore && !signal.aborted; ) {
        const piece = await readOn(path, places.get(path) ?? START)
        places.set(path, piece.place)
        isMore = piece.isMore
        for (const line of piece.lines) if (matches(line, filter)) yield { process, text: line }
      }
    }
    await clock.sleep(POLL_MS, signal).catch(() => {
      // The reader left; the loop ends.
    })
  }
}

/**
 * The last lines, without what the bound cut at the front. Those of the older generation come before a file that is short: then it is not just
 * being copied there, since a file is rotated when it is longer than the bound.
 */
async function readTail(path: string): Promise<readonly string[]> {
  const tail = await readEnd(path, TAIL_BYTES_MAX)
  if (!tail.isWhole) return linesOf(tail.bytes)
  const older = await readEnd(`${path}.1`, TAIL_BYTES_MAX - tail.bytes.length)
  return [...linesOf(older.bytes), ...linesOf(tail.bytes)]
}

/** The last whole lines of a file, of so many bytes at the most. */
async function readEnd(path: string, bytesMax: number): Promise<{ bytes: Buffer; isWhole: boolean }> {
  const size = await sizeOf(path)
  const from = Math.max(0, size - bytesMax)
  const bytes = await readRange(path, from, size)
  return from === 0
    ? { bytes, isWhole: true }
    : { bytes: bytes.subarray(bytes.indexOf('\n') + 1), isWhole: false }
}

function linesOf(bytes: Buffer): readonly string[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
}

async function readRange(path: string, from: number, to: number): Promise<Buffer> {
  let file: FileHandle | undefined
  try {
    file = await open(path)
    const buffer = Buffer.alloc(to - from)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from)
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  } finally {
    await file?.close()
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

function matches(line: string, { service, where }: LogFilter): boolean {
  if (service === undefined && where === undefined) return true
  const fields = parse(line)
  if (service !== undefined && fields?.['service'] !== service) return false
  if (where === undefined) return true
  const [name = '', ...value] = where.split('=')
  return fields !== undefined && String(fields[name]) === value.join('=')
}

function timeOf(line: string): string | undefined {
  const time = parse(line)?.['timestamp']
  return typeof time === 'string' ? time : undefined
}

/** Lines that are not JSON (a crash printed by Node) have no fields. */
function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}
