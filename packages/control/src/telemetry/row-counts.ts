/**
 * How many rows there are of each quarter of a minute, so that a search back in time can take pieces of about the same size.
 *
 * @module
 */

const QUARTER_US = 15_000_000

/** From this on, up to that, which is no part of it; microseconds since 1970. */
export interface TimeSpan {
  readonly fromUs: number
  readonly toUs: number
}

/** The counts of one table. */
export class RowCounts {
  readonly #rows = new Map<number, number>()

  /** Adds rows of the quarter in which `timeUs` is. */
  add(timeUs: number, rows: number): void {
    const quarter = Math.floor(timeUs / QUARTER_US)
    this.#rows.set(quarter, (this.#rows.get(quarter) ?? 0) + rows)
  }

  /** Forgets quarters that end before. */
  forgetBefore(timeUs: number): void {
    const first = Math.floor(timeUs / QUARTER_US)
    for (const quarter of this.#rows.keys()) if (quarter < first) this.#rows.delete(quarter)
  }

  /** A time made longer at both ends: by at most `usMax`, and not beyond where about `rowsMax` more rows are in it at that end. */
  around({ fromUs, toUs }: TimeSpan, rowsMax: number, usMax: number): TimeSpan {
    const [first, last] = [Math.floor(fromUs / QUARTER_US), Math.floor(toUs / QUARTER_US)]
    const quarters = Math.ceil(usMax / QUARTER_US)
    const reach = (begin: number, step: 1 | -1): number => {
      let rows = 0
      let quarter = begin
      while (rows < rowsMax && Math.abs(quarter - begin) < quarters) {
        quarter += step
        rows += this.#rows.get(quarter) ?? 0
      }
      return quarter
    }
    return { fromUs: reach(first, -1) * QUARTER_US, toUs: (reach(last, 1) + 1) * QUARTER_US }
  }

  /**
   * The parts of a time that may have rows, newest first, each with about `rowsMax` rows or a quarter of a minute. They do not overlap, and every row
   * of the time is in one of them.
   */
  *slices({ fromUs, toUs }: TimeSpan, rowsMax: number): Generator<TimeSpan> {
    const quarters = [...this.#rows.keys()]
      .filter((quarter) => (quarter + 1) * QUARTER_US > fromUs && quarter * QUARTER_US < toUs)
      .sort((a, b) => b - a)
    let rows = 0
    let endUs = toUs
    for (const quarter of quarters) {
      rows += this.#rows.get(quarter) ?? 0
      if (rows < rowsMax) continue
      const beginUs = Math.max(fromUs, quarter * QUARTER_US)
      yield { fromUs: beginUs, toUs: endUs }
      endUs = beginUs
      rows = 0
    }
    if (rows > 0) yield { fromUs, toUs: endUs }
  }
}
