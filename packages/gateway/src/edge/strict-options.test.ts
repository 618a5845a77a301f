/**
 * What the campaigns of strict HTTP are told: `npm run test:http -- --requests 1000000 --seed 7`. As tests they run with a few cases.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { systemClock } from '@flotilla/core/clock'

const { values } = parseArgs({
  strict: false,
  options: { requests: { type: 'string' }, seed: { type: 'string' } },
})

/** Of a campaign; absent: as many as its test has. */
export const wanted = values['requests'] === undefined ? undefined : Number(values['requests'])

/** All chance follows from it. */
export const seed = Number(values['seed'] ?? 1)

/** The number of the first case: those of different seeds differ. */
export const firstCase = seed * 1_000_000_000

/** For a whole campaign. */
export const timeoutMs = wanted === undefined ? 120_000 : 86_400_000

const TELL_EVERY = 50_000

/** Counts the cases of one campaign, and tells how far it is. */
export class Course {
  readonly #startMs = systemClock.monotonicMs()
  readonly #cases: number
  readonly #tell: (text: string) => void
  count = 0

  /** `cases`: of the test, where the command line says nothing. */
  constructor(cases: number, tell: (text: string) => void) {
    this.#cases = wanted ?? cases
    this.#tell = tell
  }

  get isOver(): boolean {
    return this.count >= this.#cases
  }

  /** The next case. `tally` is told with it now and then. */
  next(tally: object): number {
    if (this.count > 0 && this.count % TELL_EVERY === 0) this.tell(tally)
    return firstCase + this.count++
  }

  tell(tally: object): void {
    const rate = Math.round((this.count * 1_000) / (systemClock.monotonicMs() - this.#startMs))
    this.#tell(`seed ${seed}: ${this.count} cases, ${rate}/s; ${JSON.stringify(tally)}`)
  }
}
