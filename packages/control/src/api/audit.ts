/**
 * What operators did: one line for every command that reached the control API, done or refused, in a file of the data folder. A long
 * file becomes `<path>.1`, in the place of the one before it.
 *
 * @module
 */
import { appendFileSync, existsSync, readFileSync, renameSync, statSync } from 'node:fs'
import { type Clock, isoTime } from '@flotilla/core/clock'
import { isFlotillaError } from '@flotilla/core/error'
import { Redaction } from '@flotilla/core/redaction'
import type { AuditEntry } from './shapes.ts'

/** What it needs. */
export interface AuditOptions {
  readonly path: string
  readonly clock: Clock
  /** Names of fields that are not written down, beside those that never are. */
  readonly sensitive?: Iterable<string>
  /** Length at which the file is begun anew; default 16 MiB. */
  readonly bytesMax?: number
}

/** As many are shown; the files keep more. */
const SHOWN_MAX = 500
const BYTES_MAX = 16 * 1024 * 1024
/** Characters of JSON; what is longer is cut. */
const INPUT_MAX = 2_000

/** The record. */
export class Audit {
  readonly #path: string
  readonly #bytesMax: number
  readonly #clock: Clock
  readonly #redaction = new Redaction()
  readonly #latest: AuditEntry[]

  constructor({ path, clock, sensitive = [], bytesMax = BYTES_MAX }: AuditOptions) {
    this.#path = path
    this.#bytesMax = bytesMax
    this.#clock = clock
    this.#redaction.add(sensitive)
    this.#latest = [`${path}.1`, path].flatMap(linesOf).slice(-SHOWN_MAX).flatMap(entryOf)
  }

  /** The latest first. */
  get latest(): readonly AuditEntry[] {
    return this.#latest.toReversed()
  }

  /** Carries `work` out and writes down how it ended. What cannot be written down is not begun. */
  async record<T>(entry: Omit<AuditEntry, 'at' | 'outcome'>, work: () => Promise<T> | T): Promise<T> {
    const told = { ...entry, input: this.#told(entry.input) }
    this.#write({ ...told, outcome: 'begun' })
    try {
      const result = await work()
      this.#write({ ...told, outcome: 'done' })
      return result
    } catch (error) {
      this.#write({
        ...told,
        outcome: isFlotillaError(error) ? `${error.code}: ${error.message}` : 'failed',
      })
      throw error
    }
  }

  #told(input: unknown): unknown {
    const { clean } = this.#redaction.apply({ clean: input })
    const text = JSON.stringify(clean) ?? ''
    return text.length <= INPUT_MAX ? clean : `${text.slice(0, INPUT_MAX)}…`
  }

  #write(entry: Omit<AuditEntry, 'at'>): void {
    if ((statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0) >= this.#bytesMax)
      renameSync(this.#path, `${this.#path}.1`)
    const whole: AuditEntry = { at: isoTime(this.#clock.now()), ...entry }
    appendFileSync(this.#path, `${JSON.stringify(whole)}\n`, { mode: 0o600 })
    this.#latest.push(whole)
    if (this.#latest.length > SHOWN_MAX) this.#latest.shift()
  }
}

function linesOf(path: string): readonly string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : []
}

/** None for a line that a crash cut. */
function entryOf(line: string): readonly AuditEntry[] {
  try {
    return [JSON.parse(line) as AuditEntry]
  } catch {
    return []
  }
}
