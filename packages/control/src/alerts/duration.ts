/**
 * Durations as people write them in rules: `30s`, `5m`, `2h`, `3d`.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { Type } from '@flotilla/core/schema'

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** A whole number of seconds, minutes, hours or days. */
export const Duration = Type.String({
  pattern: '^(0|[1-9][0-9]{0,4})[smhd]$',
  description: 'such as 30s, 5m, 2h, 3d',
})

/** What `text`, which must be a `Duration`, is in milliseconds. */
export function durationMs(text: string): number {
  const unit = UNITS.find(([letter]) => text.endsWith(letter))
  assert.ok(unit, `${text} is no duration`)
  return Number(text.slice(0, -1)) * unit[1]
}

/** `ms`, at least a second, in the largest unit that has no rest: Prometheus reads it too. */
export function durationText(ms: number): string {
  const [letter, unitMs] = UNITS.find(([, size]) => ms >= size && ms % size === 0) ?? ['s', 1_000]
  return `${Math.round(ms / unitMs)}${letter}`
}
