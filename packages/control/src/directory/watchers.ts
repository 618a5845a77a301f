/**
 * Those who want every change, each with a bounded backlog.
 *
 * @module
 */
import { BoundedQueue } from '@flotilla/core/bounded-queue'
import { FlotillaError } from '@flotilla/core/error'
import type { Update } from '@flotilla/core/registry'

/** News a watcher may be behind. One that is further behind starts over with a snapshot. */
const BACKLOG_MAX = 1_000

interface Watcher {
  readonly backlog: BoundedQueue<Update>
  wake: (() => void) | undefined
  isTooSlow: boolean
}

/** Passes news on. */
export class Watchers {
  readonly #watchers = new Set<Watcher>()

  get size(): number {
    return this.#watchers.size
  }

  tell(update: Update): void {
    for (const watcher of this.#watchers) {
      if (!watcher.backlog.push(update)) watcher.isTooSlow = true
      watcher.wake?.()
    }
  }

  /**
   * First what `snapshot` gives, then every change from that moment on, until `signal` aborts.
   *
   * @throws FlotillaError `resource_exhausted` when the reader falls too far behind; it should open the stream again.
   */
  async *follow(snapshot: () => Update, signal: AbortSignal): AsyncGenerator<Update> {
    const watcher: Watcher = { backlog: new BoundedQueue(BACKLOG_MAX), wake: undefined, isTooSlow: false }
    this.#watchers.add(watcher)
    const wake = (): void => watcher.wake?.()
    signal.addEventListener('abort', wake)
    try {
      yield snapshot()
      while (!signal.aborted) {
        if (watcher.isTooSlow) throw new FlotillaError('resource_exhausted', 'The reader is too far behind.')
        const update = watcher.backlog.shift()
        if (update === undefined) {
          await new Promise<void>((resolve) => {
            watcher.wake = resolve
          })
        } else yield update
      }
    } finally {
      this.#watchers.delete(watcher)
      signal.removeEventListener('abort', wake)
    }
  }
}
