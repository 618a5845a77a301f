/**
 * The state of everything, as the server pushes it; where it does not push, it is asked instead. What the whole page shows:
 * how many things are wrong, and the names of the services.
 *
 * @module
 */

import type { Overview } from '@flotilla/control/shapes'
import { effect, signal } from '@preact/signals'
import { after, isVisible } from '../browser/browser.ts'
import { type ApiError, ask } from './api.ts'
import { follow } from './event-stream.ts'
import { isLoggedIn } from './session.ts'

const PERIOD_MS = 2_000

/** The state of everything; undefined until it is known. */
export const overview = signal<Overview | undefined>(undefined)

/** Why it is not known. */
export const overviewError = signal<ApiError | undefined>(undefined)

/** Begins to follow. To be called once. */
export function startLive(): void {
  let stop = (): void => undefined
  effect(() => {
    stop()
    if (isLoggedIn.value) stop = begin()
  })
}

function begin(): () => void {
  let isOver = false
  let stopWaiting = (): void => undefined
  const show = (answer: Overview): void => {
    overview.value = answer
    overviewError.value = undefined
  }
  const askOnce = async (): Promise<void> => {
    if (!isVisible()) return
    try {
      show(await ask('observe.overview', {}))
    } catch (error) {
      overviewError.value = error as ApiError
    }
  }
  // One question after the other: a server that is slow to answer is not asked more and more.
  const askAgain = async (): Promise<void> => {
    await askOnce()
    if (!isOver) stopWaiting = after(PERIOD_MS, () => void askAgain())
  }
  const stopFollowing = follow(
    'observe.followOverview',
    {},
    {
      onItem: (item) => show(item as Overview),
      onWait: (why) => {
        if (why !== undefined) void askOnce()
      },
      onRefused: () => void askAgain(),
    },
  )
  return () => {
    isOver = true
    stopFollowing()
    stopWaiting()
  }
}
