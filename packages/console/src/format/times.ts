/**
 * Moments as a person reads them, in the time of the place where the browser is.
 *
 * @module
 */
import { duration } from './figures.ts'

const part = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-GB', { hourCycle: 'h23', ...options })
const TIME = part({ hour: '2-digit', minute: '2-digit', second: '2-digit' })
const EXACT = part({ hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 })
const MINUTE = part({ hour: '2-digit', minute: '2-digit' })
const DAY = part({ day: 'numeric', month: 'short' })
const WHOLE = part({
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  timeZoneName: 'short',
})

/** `14:05:09`. */
export function clockTime(atMs: number): string {
  return Number.isFinite(atMs) ? TIME.format(atMs) : '–'
}

/** `14:05:09.123`. */
export function exactTime(atMs: number): string {
  return Number.isFinite(atMs) ? EXACT.format(atMs) : '–'
}

/** `14:05`, or `22 Nov 14:05` where days matter. */
export function minuteTime(atMs: number, withDay: boolean): string {
  if (!Number.isFinite(atMs)) return '–'
  return withDay ? `${DAY.format(atMs)} ${MINUTE.format(atMs)}` : MINUTE.format(atMs)
}

/** With day, milliseconds and time zone. */
export function wholeTime(atMs: number): string {
  return Number.isFinite(atMs) ? WHOLE.format(atMs) : '–'
}

/** `3 min ago`, `now` within a second, `in 5 s`. */
export function ago(atMs: number, presentMs: number): string {
  if (!Number.isFinite(atMs)) return '–'
  const passedMs = presentMs - atMs
  if (Math.abs(passedMs) < 1_000) return 'now'
  const largest = duration(Math.floor(Math.abs(passedMs) / 1_000) * 1_000)
    .split(' ')
    .slice(0, 2)
    .join(' ')
  return passedMs > 0 ? `${largest} ago` : `in ${largest}`
}
