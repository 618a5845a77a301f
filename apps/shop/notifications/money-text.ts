/**
 * Amounts for people, exact: digits are put apart, nothing is divided.
 *
 * @module
 */
import type { Money } from '@flotilla/core/schema'

/** Digits after the point, where they are not two. @source ISO 4217, "minor unit" */
const EXPONENTS: Readonly<Record<string, number>> = {
  BHD: 3,
  CLP: 0,
  IQD: 3,
  ISK: 0,
  JOD: 3,
  JPY: 0,
  KRW: 0,
  KWD: 3,
  LYD: 3,
  OMR: 3,
  TND: 3,
  VND: 0,
}

/** Such as `12.30 EUR`; reading it gives the amount back. */
export function moneyText({ amount, currency }: Money): string {
  const exponent = EXPONENTS[currency] ?? 2
  const digits = `${Math.abs(amount)}`.padStart(exponent + 1, '0')
  const whole = digits.slice(0, digits.length - exponent)
  const fraction = exponent === 0 ? '' : `.${digits.slice(-exponent)}`
  return `${amount < 0 ? '-' : ''}${whole}${fraction} ${currency}`
}
