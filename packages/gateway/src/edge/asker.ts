/**
 * Who asks, as `authenticate.ts` finds out.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'

/** Who asks. */
export interface Asker {
  /** Undefined: nobody in particular. */
  readonly user: User | undefined
  /** Whether what they came with is worth nothing any more, for what goes on for long. Absent: it stays what it was. */
  readonly isOver?: (() => boolean) | undefined
  /** Thumbprint of the key that the client has proven to hold. */
  readonly provenKey?: string | undefined
}
