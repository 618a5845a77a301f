/**
 * Arithmetic of money: integers in minor units, one currency at a time, one rounding.
 *
 * Rounding is half-up and done once per amount that is shown (a line, a total), never per unit. What is shared out over
 * several lines is shared by the largest remainder, so that the parts are integers and add up to the whole. Products are
 * formed as `bigint`: nothing is ever lost between the factors and the rounding.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import type { Money } from '@flotilla/core/schema'

/**
 * `amount × numerator / denominator`, a half rounded up: 7.5 % of 1,020 is `roundHalfUp(1_020, 75, 1_000)`.
 *
 * @param amount minor units, an integer >= 0, as `numerator` is; `denominator` is an integer >= 1.
 * @throws FlotillaError `internal` when a number is none of these, or the result is beyond 2^53.
 */
export function roundHalfUp(amount: number, numerator: number, denominator: number): number {
  const product = toBigInt(amount) * toBigInt(numerator)
  const divisor = toBigInt(denominator)
  if (divisor === 0n) throw broken('Nothing is divided by 0.')
  // floor(p / d + 1/2), in integers.
  return toNumber((2n * product + divisor) / (2n * divisor))
}

/**
 * Shares `total` out in proportion to `weights`: each part is its exact share rounded down, or one minor unit more for
 * those with the largest remainders; of equal ones the first. No part is larger than its weight when the total is not
 * larger than all weights together: a discount never makes a line negative. Where all weights are 0, all are equal.
 *
 * @param total minor units, an integer >= 0, as the weights are.
 * @returns one part per weight, in their order; together exactly `total`.
 * @throws FlotillaError `internal` when a number is none of these, or there is nobody to share among.
 * @source Hare-Niemeyer method (largest remainder with the Hare quota)
 */
export function allocate(total: number, weights: readonly number[]): number[] {
  const whole = toBigInt(total)
  const given = weights.map(toBigInt)
  if (given.length === 0 && whole > 0n) throw broken('There is nobody to share among.')
  const sum = given.reduce((one, other) => one + other, 0n)
  const shares = sum === 0n ? given.map(() => 1n) : given
  const divisor = sum === 0n ? BigInt(given.length) : sum
  const parts = shares.map((weight, index) => {
    const product = whole * weight
    return { index, part: product / divisor, remainder: product % divisor }
  })
  let left = parts.reduce((rest, { part }) => rest - part, whole)
  // The sort is stable: of equal remainders the first comes first.
  for (const one of parts.toSorted(
    (a, b) => Number(b.remainder > a.remainder) - Number(b.remainder < a.remainder),
  )) {
    if (left === 0n) break
    one.part++
    left--
  }
  return parts.map(({ part }) => toNumber(part))
}

/**
 * `a + b`.
 *
 * @throws FlotillaError `internal` when they have different currencies, or the sum is beyond 2^53.
 */
export function addMoney(a: Money, b: Money): Money {
  if (a.currency !== b.currency) throw broken(`${a.currency} and ${b.currency} cannot be added.`)
  const amount = a.amount + b.amount
  if (!Number.isSafeInteger(amount)) throw broken('An amount is beyond 2^53.')
  return { amount, currency: a.currency }
}

function toBigInt(value: number): bigint {
  if (!Number.isSafeInteger(value) || value < 0) throw broken('Money is counted in integers from 0 to 2^53.')
  return BigInt(value)
}

function toNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw broken('An amount is beyond 2^53.')
  return Number(value)
}

/** The caller has let in what it should have refused. */
function broken(message: string): FlotillaError {
  return new FlotillaError('internal', message)
}
