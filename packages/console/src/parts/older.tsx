/**
 * A list that goes back in time, page by page.
 *
 * @module
 */
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { tell } from '../state/acts.ts'

/** A part of an answer. */
interface Page<T> {
  readonly items: readonly T[]
  /** Where the next one begins; null: this is the last. */
  readonly nextCursor: string | null
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
  const { items, nextCursor } = read ?? latest
  const more = (cursor: string): void => {
    ask(cursor).then(
      (next) => setRead({ ...next, items: [...items, ...next.items] }),
      (error: Error) => tell(error.message, true),
    )
  }
  return (
    <>
      {children(items)}
      {nextCursor !== null && (
        <p class="quiet">
          <button type="button" class="button" onClick={() => more(nextCursor)}>
            {what}
          </button>
        </p>
      )}
    </>
  )
}
