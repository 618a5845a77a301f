/**
 * What operators did: one line for every command that reached the control API, done or refused, in a file of the data folder.
 *
 * @module
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { type Clock, isoTime } from '@flotilla/core/clock'
import { isFlotillaError } from '@flotilla/core/error'
import type { AuditEntry } from './shapes.ts'

/** As many are shown; the file keeps all. */
const SHOWN_MAX = 500

/** The record. */
export class Audit {
  readonly #path: string
  readonly #clock: Clock
  readonly #latest: AuditEntry[]

  constructor(path: string, clock: Clock) {
    this.#path = path
    this.#clock = clock
    const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : []
    this.#latest = lines.slice(-SHOWN_MAX).flatMap(entryOf)
  }

  /** The latest first. */
  get latest(): readonly AuditEntry[] {
    return this.#latest.toReversed()
  }

  /** Carries `work` out and writes down how it ended. What cannot be written down is not begun. */
  async record<T>(entry: Omit<AuditEntry, 'at' | 'outcome'>, work: () => Promise<T> | T): Promise<T> {
    this.#write({ ...entry, outcome: 'begun' })
    try {
      const result = await work()
      this.#write({ ...entry, outcome: 'done' })
      return result
    } catch (error) {
      this.#write({
        ...entry,
        outcome: isFlotillaError(error) ? `${error.code}: ${error.message}` : 'failed',
      })
      throw error
    }
  }

  #write(entry: Omit<AuditEntry, 'at'>): void {
    const whole: AuditEntry = { at: isoTime(this.#clock.now()), ...entry }
    appendFileSync(this.#path, `${JSON.stringify(whole)}\n`, { mode: 0o600 })
    this.#latest.push(whole)
    if (this.#latest.length > SHOWN_MAX) this.#latest.shift()
  }
}

/** None for a line that a crash cut. */
function entryOf(line: string): readonly AuditEntry[] {
  try {
    return [JSON.parse(line) as AuditEntry]
  } catch {
    return []
  }
}
