/**
 * A quantile from the buckets of a histogram.
 *
 * @module
 */

/**
 * The value that `share` (0 to 1) of the observations do not exceed, as if those of a bucket were spread evenly over it.
 *
 * `buckets` are bounds, growing, each with how many observations were at most that; the last bound should be infinite. What lies above
 * the last finite bound is told as that bound. Undefined: there is no observation.
 *
 * @source Prometheus's `histogram_quantile`
 */
export function bucketQuantile(
  buckets: readonly (readonly [bound: number, countUpTo: number])[],
  share: number,
): number | undefined {
  const total = buckets.reduce((most, [, count]) => Math.max(most, count), 0)
  if (total <= 0) return undefined
  const rank = share * total
  let [lowerBound, lowerCount] = [0, 0]
  for (const [bound, count] of buckets) {
    // Buckets are read one after the other while they grow, so a later one may be smaller by a few.
    const upTo = Math.max(count, lowerCount)
    if (upTo >= rank && upTo > 0) {
      if (bound === Number.POSITIVE_INFINITY) return lowerBound
      if (bound <= 0 || upTo === lowerCount) return bound
      return lowerBound + ((bound - lowerBound) * (rank - lowerCount)) / (upTo - lowerCount)
    }
    ;[lowerBound, lowerCount] = [Math.max(bound, 0), upTo]
  }
  return lowerBound
}
