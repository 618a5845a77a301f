/**
 * A way to the shop that can be shut: customers whose requests are answered no more simply went away, which the shop must stand.
 *
 * @module
 */
import type { Ask } from '../shop-client.ts'

/** A gate. */
export interface Gate {
  readonly ask: Ask
  /** Nothing is asked from now on; resolves when what was asked has its answers. */
  shut(): Promise<void>
}

/** Opens one. */
export function openGate(ask: Ask): Gate {
  const underWay = new Set<Promise<unknown>>()
  let isShut = false
  return {
    ask(path, request) {
      if (isShut) return new Promise(() => {})
      const answer = ask(path, request)
      const over: Promise<unknown> = answer.then(
        () => underWay.delete(over),
        () => underWay.delete(over),
      )
      underWay.add(over)
      return answer
    },
    async shut() {
      isShut = true
      await Promise.all(underWay)
    },
  }
}
