/**
 * The log as it is written: the newest lines, a bounded number of them.
 *
 * @module
 */
import type { LogEntry } from '@flotilla/control/shapes'
import { useEffect, useRef, useState } from 'preact/hooks'
import { after } from '../../browser/browser.ts'
import { follow } from '../../state/event-stream.ts'

const LINES_MAX = 1_000
/** Lines are shown together: a browser cannot draw two thousand times a second. */
const SHOW_MS = 250

/** The live tail. */
export interface Tail {
  /** The latest first. */
  readonly lines: readonly LogEntry[]
  /** Lines that came since it was paused. */
  readonly waiting: number
  readonly error: Error | undefined
}

/** Lines that match, from now on. While paused, lines are collected and not shown. */
export function useTail(q: string, isPaused: boolean): Tail {
  const [tail, setTail] = useState<Tail>({ lines: [], waiting: 0, error: undefined })
  const fresh = useRef<LogEntry[]>([])
  const paused = useRef(isPaused)
  paused.current = isPaused
  useEffect(() => {
    fresh.current = []
    setTail({ lines: [], waiting: 0, error: undefined })
    let stopWaiting: (() => void) | undefined
    const show = (): void => {
      stopWaiting = undefined
      const waiting = fresh.current.length
      if (paused.current) return setTail((before) => ({ ...before, waiting }))
      const added = fresh.current.splice(0).reverse()
      setTail((before) => ({ ...before, waiting: 0, lines: [...added, ...before.lines].slice(0, LINES_MAX) }))
    }
    const tellTrouble = (error: Error | undefined): void => setTail((before) => ({ ...before, error }))
    const stop = follow('observe.followLogs', q === '' ? {} : { q }, {
      onItem: (item) => {
        fresh.current.push(item as LogEntry)
        if (fresh.current.length > LINES_MAX) fresh.current.shift()
        stopWaiting ??= after(SHOW_MS, show)
      },
      onWait: tellTrouble,
      onRefused: tellTrouble,
    })
    return () => {
      stop()
      stopWaiting?.()
    }
  }, [q])
  useEffect(() => {
    if (isPaused) return
    const added = fresh.current.splice(0).reverse()
    setTail((before) => ({ ...before, waiting: 0, lines: [...added, ...before.lines].slice(0, LINES_MAX) }))
  }, [isPaused])
  return tail
}
