/**
 * Lines of log files as rows: our own JSON lines by their fields, all others as they are. What Node or PostgreSQL print over several lines, such as
 * a crash, becomes one row.
 *
 * @module
 */
import { parseIsoTime } from '@flotilla/core/clock'
import { type LineLevel, lineLevels, type StoredLine } from './rows.ts'

/** Where lines come from, for what they do not say themselves. */
export interface LineSource {
  /** The name of the process: its lines that are not ours have it as service and instance. */
  readonly process: string
  /** When they were read, in microseconds since 1970. */
  readonly readAtUs: number
}

const FOREIGN_LINES_MAX = 100
const IS_BAD = /Error\b|\b(?:ERROR|FATAL|PANIC|panic)\b/
const IS_WARNING = /\b(?:Warning|WARNING)\b/

/** The rows of some lines of one file, in order. A line that does not tell its time has that of the line before. */
export function readLogLines(lines: readonly string[], source: LineSource): readonly StoredLine[] {
  const rows: StoredLine[] = []
  let timeUs = source.readAtUs
  let foreign: string[] = []
  const endForeign = (): void => {
    if (foreign.length > 0) rows.push(foreignRow(foreign, source.process, timeUs))
    foreign = []
  }
  for (const line of lines) {
    const row = ownRow(line, source.process, timeUs)
    if (row === undefined) {
      if (foreign.length === FOREIGN_LINES_MAX) endForeign()
      foreign.push(line)
      continue
    }
    endForeign()
    timeUs = row.timeUs
    rows.push(row)
  }
  endForeign()
  return rows
}

function ownRow(line: string, process: string, beforeUs: number): StoredLine | undefined {
  const fields = parse(line)
  if (fields === undefined) return undefined
  const { timestamp, level, service, instance, message, trace_id: traceId, span_id: spanId, ...rest } = fields
  const timeMs = typeof timestamp === 'string' ? parseIsoTime(timestamp) : Number.NaN
  return {
    timeUs: Number.isNaN(timeMs) ? beforeUs : timeMs * 1_000,
    level: levelOf(level),
    service: textOr(service, process),
    instance: textOr(instance, process),
    message: textOr(message, ''),
    traceId: typeof traceId === 'string' ? traceId : undefined,
    spanId: typeof spanId === 'string' ? spanId : undefined,
    fields: rest,
  }
}

function foreignRow(lines: readonly string[], process: string, timeUs: number): StoredLine {
  const message = lines.join('\n')
  const level = IS_BAD.test(message) ? 'error' : IS_WARNING.test(message) ? 'warn' : 'info'
  return { timeUs, level, service: process, instance: process, message }
}

function levelOf(level: unknown): LineLevel {
  return lineLevels.find((one) => one === level) ?? (level === 'fatal' ? 'error' : 'info')
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : undefined
  } catch {
    // Cut by a crash: then it is a line like any other.
    return undefined
  }
}
