/**
 * What is asked of whoever keeps the series: a port, which the telemetry store satisfies.
 *
 * @module
 */

/** A question about a window of time, of which one point a series is wanted. */
export interface SeriesQuestion {
  /** Of a quantile: that of the histogram, without `_bucket`. */
  readonly name: string
  /** An absent label is an empty one; `!=` wants none of the values. */
  readonly matchers: readonly {
    readonly label: string
    readonly is: '=' | '!='
    readonly values: readonly string[]
  }[]
  /** `value`: the last one. `rate`: what was added, by the seconds of the window. `quantile`: of a histogram. */
  readonly as: 'value' | 'rate' | 'quantile'
  /** Of a quantile: 0 to 1. */
  readonly quantile: number
  /** Series that agree in these labels are one. */
  readonly by: readonly string[]
  /** How values of series become one; rates are always added. */
  readonly merge: 'sum' | 'avg' | 'min' | 'max'
  /** From this time on, in milliseconds since 1970. */
  readonly fromMs: number
  /** Up to this time, which is no part of it. */
  readonly toMs: number
}

/** What was found. */
export interface SeriesAnswer {
  readonly series: readonly {
    readonly labels: Readonly<Record<string, string>>
    /** By time. */
    readonly points: readonly (readonly [timeMs: number, value: number])[]
  }[]
  /** True: there is more than was answered. */
  readonly isTruncated?: boolean
}

/** Answers questions, or rejects. */
export type AskSeries = (question: SeriesQuestion) => Promise<SeriesAnswer>
