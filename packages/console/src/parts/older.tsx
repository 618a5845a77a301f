/**
 * A list that goes back in time, page by page.
 *
 * @module
 */
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { clockTime } from '../format/times.ts'
import { tell } from '../state/acts.ts'
import { Empty } from './states.tsx'

/** A part of an answer. */
interface Page<T> {
  readonly items: readonly T[]
  /** Where the next one begins; null: this is the last. */
  readonly nextCursor: string | null
  /** The search for it ran out of time: what is older was not looked at. */
  readonly cutShortAtMs: number | null
}

/** The latest page, and older ones that were asked for. */
export function WithOlder<T>({
  latest,
  what,
  ask,
  children,
}: {
  readonly latest: Page<T>
  /** What the button promises. */
  readonly what: string
  readonly ask: (cursor: string) => Promise<Page<T>>
  readonly children: (items: readonly T[]) => ComponentChildren
}): JSX.Element {
  const [read, setRead] = useState<Page<T>>()
  // What is read back through stays as it was: new ones at the top would leave a gap.
  const { items, nextCursor, cutShortAtMs } = read ?? latest
  const more = (cursor: string): void => {
    ask(cursor).then(
      (next) => setRead({ ...next, items: [...items, ...next.items] }),
      (error: Error) => tell(error.message, true),
    )
  }
  return (
    <>
      {cutShortAtMs === null || items.length > 0 ? (
        children(items)
      ) : (
        <Empty title="Nothing was found so far" />
      )}
      {nextCursor !== null && (
        <p class="quiet">
          {cutShortAtMs !== null && (
            <span>
              The search ran out of time: what is older than {clockTime(cutShortAtMs)} was not looked at.{' '}
            </span>
          )}
          <button type="button" class="button" onClick={() => more(nextCursor)}>
            {what}
          </button>
        </p>
      )}
    </>
  )
}
