/**
 * Time as a port: nothing outside `kernel` reads the machine's clock, so that tests and the simulator can
 * decide what time it is.
 *
 * @module
 */

/** A wait that has been started. */
export interface Timer {
  /** Stops it; calling this after it fired, or twice, does nothing. */
  cancel(): void
}

/** Where time comes from. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970 (UTC). It may jump: for people and records, never for waits. */
  now(): number
  /** Milliseconds since an arbitrary start; never goes back. For deadlines, waits and measuring. */
  monotonicMs(): number
  /** Runs `action` once, `delayMs` (>= 0) from now. */
  schedule(delayMs: number, action: () => void): Timer
  /** Resolves `delayMs` from now, or rejects with the signal's reason as soon as `signal` aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

/** `ms` since 1970 as ISO 8601 in UTC, such as `2026-11-20T10:00:00.000Z`. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

/** `ms` since 1970 as HTTP's fields write it, such as `Fri, 20 Nov 2026 10:00:00 GMT`. */
export function httpDate(ms: number): string {
  return new Date(ms).toUTCString()
}

// `Date` alone would also read "1" and "20 Nov 2026", and times without an offset as local ones.
const ISO_TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/

/** Milliseconds since 1970 of an ISO 8601 date (its midnight in UTC) or time with offset; NaN when it is neither. */
export function parseIsoTime(text: string): number {
  return ISO_TIME.test(text) ? new Date(text).getTime() : Number.NaN
}

/** Waits on any clock by its `schedule`; shared by the real and the virtual clock. */
export function sleepOn(
  clock: Pick<Clock, 'schedule'>,
  delayMs: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const timer = clock.schedule(delayMs, () => {
      signal?.removeEventListener('abort', giveUp)
      resolve()
    })
    const giveUp = (): void => {
      timer.cancel()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', giveUp, { once: true })
  })
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs() {
    // A third cheaper than `performance.now()`, and read twice for every call.
    const [seconds, nanoseconds] = process.hrtime()
    return seconds * 1_000 + nanoseconds / 1e6
  },
  schedule(delayMs, action) {
    const handle = setTimeout(action, delayMs)
    return { cancel: () => clearTimeout(handle) }
  },
  sleep: (delayMs, signal) => sleepOn(systemClock, delayMs, signal),
}

/** A `Date` at `ms` since 1970, for libraries that want one. */
export function dateAt(ms: number): Date {
  return new Date(ms)
}
