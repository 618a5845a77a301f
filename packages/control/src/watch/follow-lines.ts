/**
 * Log lines as they come.
 *
 * No line is lost however many come at once: they are given by the order of their arrival, page after page, until nothing is left. Who reads so
 * slowly that more have come again and again is told so in a line of its own, which says how many were left out, and goes on with those that
 * come then: who follows wants to see what is now.
 *
 * @module
 */
import { type Clock, isoTime } from '@flotilla/core/clock'
import type { LogEntry } from '../api/shapes.ts'
import type { FoundLine } from '../telemetry/log-search.ts'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'

const POLL_MS = 500
const PAGE_LINES = 500
/** 20,000 lines, as many as the store takes at once: so only who reads too slowly is ever this far behind. */
const PAGES_MAX = 40
const CONTROL = 'control'

/** Lines that `query` finds, from now on, until `signal`. */
export async function* followLines(
  store: Pick<TelemetryStore, 'newestSeq' | 'logsAfter' | 'countLogsAfter'>,
  clock: Clock,
  query: string,
  signal: AbortSignal,
): AsyncGenerator<LogEntry> {
  let afterSeq = store.newestSeq
  let pages = 0
  while (!signal.aborted) {
    const { lines, seq, isMore } = await store.logsAfter({ query, afterSeq, limit: PAGE_LINES })
    afterSeq = seq
    // Files are read one after the other, so lines of several processes arrive file by file.
    for (const line of lines.toSorted((a, b) => a.timeUs - b.timeUs || a.seq - b.seq)) yield entryOf(line)
    pages = isMore ? pages + 1 : 0
    if (pages === PAGES_MAX) {
      const leftOut = await store.countLogsAfter({ query, afterSeq })
      if (leftOut.count > 0) yield leftOutEntry(leftOut.count, clock)
      afterSeq = leftOut.seq
      pages = 0
    } else if (!isMore) await clock.sleep(POLL_MS, signal)
  }
}

function leftOutEntry(leftOut: number, clock: Clock): LogEntry {
  const message = `${leftOut} lines were left out here: they came faster than they were read`
  return {
    time: isoTime(clock.now()),
    level: 'warn',
    service: CONTROL,
    instance: CONTROL,
    message,
    fields: { leftOut },
  }
}

/** A line as the API tells it. */
export function entryOf({
  timeUs,
  level,
  service,
  instance,
  message,
  traceId,
  spanId,
  fields,
}: FoundLine): LogEntry {
  return {
    time: isoTime(Math.trunc(timeUs / 1_000)),
    level,
    service,
    instance,
    message,
    ...(traceId === undefined ? {} : { traceId }),
    ...(spanId === undefined ? {} : { spanId }),
    fields: { ...fields },
  }
}
