/**
 * Rules: what is wrong when. A rule asks about series, and names those for which all its conditions hold; whatever a file says
 * (thresholds, objectives) becomes these.
 *
 * @module
 */

/** How bad it is, the worst first: somebody should get up, should look today, should know. */
export const severities = ['critical', 'warning', 'info'] as const

/** One of them. */
export type Severity = (typeof severities)[number]

/** What values are, so that people can read them. */
export const valueUnits = ['seconds', 'share', 'bytes', 'count'] as const

/** One of them. */
export type ValueUnit = (typeof valueUnits)[number]

/** Which series, and what is asked of them. */
export interface Selection {
  readonly metric: string
  /** Labels that must have one of the values. */
  readonly where: Readonly<Record<string, readonly string[]>>
  /** Labels that must have none of the values. */
  readonly not: Readonly<Record<string, readonly string[]>>
  /** `value`: the latest within the window. `rate`: what was added, a second. `quantile`: of a histogram, `metric` without `_bucket`. */
  readonly as: 'value' | 'rate' | 'quantile'
  /** Of a quantile: 0 to 1. */
  readonly quantile: number
  /** How values of several series become one; rates are added. */
  readonly merge: 'sum' | 'avg' | 'min' | 'max'
}

/** Holds for what lies beyond a limit. */
export interface LimitCondition {
  readonly is: 'above' | 'below'
  readonly limit: number
  readonly of: Selection
  /** `of` divided by this. */
  readonly per?: Selection
  /** One less the quotient: of good and all, the share of the bad. */
  readonly isRest?: boolean
  /** `of` less this. */
  readonly minus?: Selection
  readonly windowMs: number
  /** Of the divisor, or of observations of the quantiles, a second: with fewer there is nothing to conclude. 0: always. */
  readonly minRate: number
}

/** Holds while no such series has a sample. */
export interface AbsenceCondition {
  readonly is: 'absent'
  readonly of: Selection
  readonly windowMs: number
}

/** One condition. */
export type Condition = LimitCondition | AbsenceCondition

/** A rule. */
export interface Rule {
  readonly name: string
  readonly severity: Severity
  /** With `{value}`, `{limit}` and `{label}` in it. */
  readonly summary: string
  readonly unit: ValueUnit
  /** An alert for each set of values of these labels. */
  readonly by: readonly string[]
  /** Further labels of its alerts. */
  readonly labels: Readonly<Record<string, string>>
  /** All must hold; asked in order, the cheapest first. The first one gives the value. */
  readonly conditions: readonly [Condition, ...Condition[]]
  /** For so long they must have held before it is an alarm. */
  readonly forMs: number
  /** For so long they must not have held before it is over. */
  readonly keepFiringMs: number
}

const SUFFIXES = ['', 'k', 'M', 'G', 'T'] as const

/** A value as people read it: `1.25 s`, `5.3 %`, `12 MB`. */
function valueText(value: number, unit: ValueUnit): string {
  if (unit === 'share') return `${short(value * 100)} %`
  if (unit === 'seconds') return secondsText(value)
  if (unit === 'count') return short(value)
  const power = Math.min(SUFFIXES.length - 1, Math.max(0, Math.floor(Math.log10(Math.abs(value) || 1) / 3)))
  return `${short(value / 1_000 ** power)} ${SUFFIXES[power]}B`
}

function secondsText(value: number): string {
  const size = Math.abs(value)
  if (size < 1) return `${short(value * 1_000)} ms`
  if (size < 120) return `${short(value)} s`
  if (size < 7_200) return `${short(value / 60)} minutes`
  return size < 172_800 ? `${short(value / 3_600)} hours` : `${short(value / 86_400)} days`
}

/** Three digits, and no zeros at the end. */
function short(value: number): string {
  return String(Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(3)))
}

/** The rule's summary for one alert. A name in braces that is no label stays as it is. */
export function summaryOf(rule: Rule, labels: Readonly<Record<string, string>>, value: number): string {
  const [first] = rule.conditions
  const words: Readonly<Record<string, string>> = {
    ...labels,
    value: valueText(value, rule.unit),
    limit: first.is === 'absent' ? '' : valueText(first.limit, rule.unit),
  }
  return rule.summary.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(words, name) ? (words[name] as string) : whole,
  )
}
