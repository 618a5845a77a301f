/**
 * Objectives, such as "of a thousand requests one may fail, over 30 days": when the budget of failures burns too fast.
 *
 * How fast is too fast depends on for how long: 14.4 times too fast uses 2 % of the month's budget in an hour, once too fast 10 % in three days.
 * Each burn rate is looked at over a long window, so that a short burst is no alarm, and over a short one as well, so that it is over
 * soon after the failures are. All four alarms are one thought; the severity says how soon somebody must look.
 *
 * @source The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts"
 * @module
 */

import { durationMs, durationText } from './duration.ts'
import type { LimitCondition, Rule, Severity } from './rule.ts'
import { DEFAULT_KEEP_FIRING, type ObjectiveSpec, selectionOf } from './rule-spec.ts'

interface Burn {
  readonly factor: number
  readonly long: string
  readonly short: string
  readonly severity: Severity
}

const BURNS: readonly Burn[] = [
  { factor: 14.4, long: '1h', short: '5m', severity: 'critical' },
  { factor: 6, long: '6h', short: '30m', severity: 'critical' },
  { factor: 3, long: '1d', short: '2h', severity: 'warning' },
  { factor: 1, long: '3d', short: '6h', severity: 'warning' },
]

/**
 * The rules of an objective. Windows are cut to `keptMs`, for which samples are kept; of those that then are the same long the strictest is left.
 * What could never be reached (a burn of more than all requests) is left out.
 */
export function rulesOfObjective(name: string, spec: ObjectiveSpec, keptMs: number): readonly Rule[] {
  const budget = 1 - spec.objective
  const rules = new Map<number, Rule>()
  for (const burn of BURNS) {
    const longMs = Math.min(durationMs(burn.long), keptMs)
    if (burn.factor * budget >= 1 || rules.has(longMs)) continue
    rules.set(longMs, burnRule(name, spec, burn, longMs))
  }
  return [...rules.values()]
}

function burnRule(name: string, spec: ObjectiveSpec, burn: Burn, longMs: number): Rule {
  const { summary, by = [], labels = {}, minRate = 0, good, bad, total } = spec
  const shortMs = Math.min(durationMs(burn.short), longMs)
  const over = (windowMs: number): LimitCondition => ({
    is: 'above',
    limit: burn.factor * (1 - spec.objective),
    of: { ...selectionOf(bad ?? good ?? total), as: 'rate' },
    per: { ...selectionOf(total), as: 'rate' },
    isRest: bad === undefined,
    windowMs,
    minRate,
  })
  return {
    name: `${name}_burn_${burn.long}`,
    severity: burn.severity,
    summary: `${summary}: {value} lately, and more than {limit} for ${durationText(longMs)}, which is ${burn.factor} times what the objective of ${Number((spec.objective * 100).toFixed(4))} % allows`,
    unit: 'share',
    by,
    labels: { ...labels, objective: name },
    conditions: [over(shortMs), over(longMs)],
    forMs: 0,
    keepFiringMs: durationMs(DEFAULT_KEEP_FIRING),
  }
}
