/**
 * Rows of one kind that wait to be written, bounded by number and by bytes. When there are too many, the oldest are dropped and counted:
 * whoever brings rows never waits.
 *
 * @module
 */

/** The buffer. */
export class WaitingRows<Row extends { readonly bytes: number }> {
  readonly #rowsMax: number
  readonly #bytesMax: number
  #rows: Row[] = []
  /** Where the first one is that was not dropped. */
  #first = 0
  #bytes = 0
  #dropped = 0

  constructor(bounds: { readonly rowsMax: number; readonly bytesMax: number }) {
    this.#rowsMax = bounds.rowsMax
    this.#bytesMax = bounds.bytesMax
  }

  get count(): number {
    return this.#rows.length - this.#first
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Rows dropped since the beginning. */
  get dropped(): number {
    return this.#dropped
  }

  /** Adds one at the end. */
  push(row: Row): void {
    this.#rows.push(row)
    this.#bytes += row.bytes
    while (this.count > this.#rowsMax || this.#bytes > this.#bytesMax) {
      this.#bytes -= (this.#rows[this.#first] as Row).bytes
      this.#first++
      this.#dropped++
    }
    // The places of those that were dropped are given back now and then, not one by one.
    if (this.#first > 1_000 && this.#first > this.#rows.length / 2) this.#compact()
  }

  /** Counts rows that never came in. */
  refuse(count: number): void {
    this.#dropped += count
  }

  /** Takes all, oldest first. */
  take(): readonly Row[] {
    this.#compact()
    const rows = this.#rows
    this.#rows = []
    this.#bytes = 0
    return rows
  }

  #compact(): void {
    if (this.#first > 0) this.#rows = this.#rows.slice(this.#first)
    this.#first = 0
  }
}
