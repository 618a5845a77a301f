/**
 * Log lines of many files, as one.
 *
 * @module
 */
import { type FileHandle, open, stat } from 'node:fs/promises'
import type { Clock } from '@flotilla/core/clock'
import type { LogLine } from './contract.ts'

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
const CHUNK_BYTES_MAX = 256 * 1024
const POLL_MS = 250

/** The last `count` lines of all sources together, oldest first. */
export async function lastLines(
  sources: readonly LogSource[],
  filter: LogFilter,
  count: number,
): Promise<LogLine[]> {
  const all = await Promise.all(
    sources.map(async ({ process, path }) => {
      const text = await readTail(path)
      const wanted = text.split('\n').filter((line) => line !== '' && matches(line, filter))
      return wanted.slice(-count).map((line) => ({ process, text: line, time: timeOf(line) }))
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
  const positions = new Map<string, { at: number; rest: string }>()
  for (const { path } of sources()) positions.set(path, { at: await sizeOf(path), rest: '' })
  while (!signal.aborted) {
    for (const { process, path } of sources()) {
      const position = positions.get(path) ?? { at: 0, rest: '' }
      positions.set(path, position)
      for (const line of await readOn(path, position))
        if (matches(line, filter)) yield { process, text: line }
    }
    await clock.sleep(POLL_MS, signal).catch(() => {
      // The reader left; the loop ends.
    })
  }
}

async function readOn(path: string, position: { at: number; rest: string }): Promise<readonly string[]> {
  const size = await sizeOf(path)
  // Shorter than where we were: it was rotated.
  if (size < position.at) position.at = 0
  if (size === position.at) return []
  const text = await readRange(path, position.at, Math.min(size, position.at + CHUNK_BYTES_MAX))
  position.at += Buffer.byteLength(text)
  const lines = (position.rest + text).split('\n')
  position.rest = lines.pop() ?? ''
  return lines.filter((line) => line !== '')
}

async function readTail(path: string): Promise<string> {
  const size = await sizeOf(path)
  return readRange(path, Math.max(0, size - TAIL_BYTES_MAX), size)
}

async function readRange(path: string, from: number, to: number): Promise<string> {
  let file: FileHandle | undefined
  try {
    file = await open(path)
    const buffer = Buffer.alloc(to - from)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from)
    return buffer.toString('utf8', 0, bytesRead)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
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

function timeOf(line: string): string {
  return String(parse(line)?.['timestamp'] ?? '')
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
