/**
 * A search for traces that goes on where the API had no time left.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import type { OutputOf } from '@flotilla/core/operation'
import type { observeContract } from '../api/observe-contract.ts'

type Page = OutputOf<(typeof observeContract)['operations']['traces']>

/** What was found. */
export interface FoundTraces {
  /** The latest first. */
  readonly items: Page['items']
  /** The time ran out: what is older than this was not looked at. Null: it did not. */
  readonly cutShortAtMs: number | null
}

/** No question after so long: a person waits. */
const SEARCH_MS = 5_000

/** Asks for page after page until `limit` traces are found, there are no more, or five seconds have passed. */
export async function findTraces(
  ask: (cursor: string | undefined, limit: number) => Promise<Page>,
  limit: number,
  clock: Pick<Clock, 'monotonicMs'>,
): Promise<FoundTraces> {
  const endMs = clock.monotonicMs() + SEARCH_MS
  // A trace may be found on both sides of a cursor.
  const found = new Map<string, Page['items'][number]>()
  let cursor: string | undefined
  for (;;) {
    const { items, nextCursor, cutShortAtMs } = await ask(cursor, limit - found.size)
    for (const item of items) if (!found.has(item.traceId)) found.set(item.traceId, item)
    const isDone = nextCursor === null || found.size >= limit
    if (isDone || clock.monotonicMs() >= endMs)
      return { items: [...found.values()], cutShortAtMs: isDone ? null : cutShortAtMs }
    cursor = nextCursor
  }
}
