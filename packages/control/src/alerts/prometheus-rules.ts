/**
 * The same rules for Prometheus, whose server may watch in place of ours.
 *
 * @source https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
 * @module
 */
import { durationText } from './duration.ts'
import type { AbsenceCondition, Condition, LimitCondition, Rule, Selection, ValueUnit } from './rule.ts'
import { defaultLayer, type RuleLayer, rulesOf } from './rule-files.ts'

/** A rule as Prometheus reads it. */
interface PrometheusRule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly keep_firing_for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** A file of rules as Prometheus reads it, to be written as YAML. */
export interface PrometheusRules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly PrometheusRule[] }[]
}

/** The rules that are inside, and those of an app; `keptMs`: for so long samples are kept. */
export function prometheusRules(app: Partial<RuleLayer>, keptMs: number): PrometheusRules {
  const layer: RuleLayer = { rules: {}, objectives: {}, receivers: {}, off: [], ...app }
  return { groups: [{ name: 'flotilla', rules: rulesOf([defaultLayer, layer], keptMs).map(prometheusRule) }] }
}

function prometheusRule(rule: Rule): PrometheusRule {
  const { name, severity, labels, conditions, by, forMs, keepFiringMs } = rule
  return {
    alert: name,
    expr: conditions.map((condition) => expressionOf(condition, by)).join(joining('and', by)),
    ...(forMs > 0 ? { for: durationText(forMs) } : {}),
    ...(keepFiringMs > 0 ? { keep_firing_for: durationText(keepFiringMs) } : {}),
    labels: { ...labels, severity },
    annotations: { summary: templateOf(rule) },
  }
}

function expressionOf(condition: Condition, by: readonly string[]): string {
  return condition.is === 'absent' ? absence(condition) : limit(condition, by)
}

function absence({ of, windowMs }: AbsenceCondition): string {
  return `absent_over_time(${seriesOf(of)}[${durationText(windowMs)}])`
}

function limit(condition: LimitCondition, by: readonly string[]): string {
  const { is, limit: bound, of, per, minus, isRest = false, windowMs, minRate } = condition
  const window = durationText(windowMs)
  const value = (selection: Selection): string => valueIn(selection, by, window)
  const counted = (selection: Selection): string =>
    value(
      selection.as === 'quantile'
        ? { ...selection, metric: `${selection.metric}_count`, as: 'rate' }
        : selection,
    )
  let left = value(of)
  if (per !== undefined) {
    // A counter that is not there yet has counted nothing.
    const dividend = of.as === 'rate' ? `(${left} or 0 * ${value(per)})` : left
    left = isRest ? `1 - ${dividend} / ${value(per)}` : `${dividend} / ${value(per)}`
  } else if (minus !== undefined) left = `${left} - ${value(minus)}`
  const measured = minRate === 0 ? [] : [per ?? of, ...(minus === undefined ? [] : [minus])]
  const enough = measured.map((selection) => `${counted(selection)} >= ${minRate}`)
  return [`(${left}) ${is === 'above' ? '>' : '<'} ${Number(bound.toPrecision(12))}`, ...enough].join(
    joining('and', by),
  )
}

function joining(operator: string, by: readonly string[]): string {
  return ` ${operator} on (${by.join(', ')}) `
}

function valueIn(selection: Selection, by: readonly string[], window: string): string {
  const { as, quantile, merge } = selection
  const series = `${seriesOf(selection)}[${window}]`
  if (as === 'value') return `${merge} by (${by.join(', ')}) (last_over_time(${series}))`
  if (as === 'rate') return `sum by (${by.join(', ')}) (rate(${series}))`
  const buckets = `sum by (${[...by, 'le'].join(', ')}) (rate(${series}))`
  return `histogram_quantile(${quantile}, ${buckets})`
}

/** What our own gathering calls so, Prometheus has made of its own. */
const OWN_NAMES: Readonly<Record<string, readonly [name: string, matcher: string]>> = {
  flotilla_process_up: ['up', 'job="flotilla"'],
}

function seriesOf({ metric, as, where, not }: Selection): string {
  const [name, matched] = OWN_NAMES[metric] ?? [as === 'quantile' ? `${metric}_bucket` : metric]
  const all = [
    ...(matched === undefined ? [] : [matched]),
    ...Object.entries(where).map(([label, values]) => matcher(label, '=', values)),
    ...Object.entries(not).map(([label, values]) => matcher(label, '!', values)),
  ]
  return all.length === 0 ? name : `${name}{${all.join(',')}}`
}

function matcher(label: string, is: '=' | '!', values: readonly string[]): string {
  const [only] = values
  if (values.length === 1) return `${label}${is === '=' ? '=' : '!='}${JSON.stringify(only)}`
  const pattern = values.map((value) => value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')
  return `${label}${is}~${JSON.stringify(pattern)}`
}

const HUMAN: Readonly<Record<ValueUnit, string>> = {
  seconds: '{{ $value | humanizeDuration }}',
  share: '{{ $value | humanizePercentage }}',
  bytes: '{{ $value | humanize1024 }}B',
  count: '{{ $value | humanize }}',
}

function templateOf({ summary, by, unit, labels, conditions: [first] }: Rule): string {
  const bound = first.is === 'absent' ? 0 : first.limit
  const words: Record<string, string> = {
    ...Object.fromEntries([...by, ...Object.keys(labels)].map((label) => [label, `{{ $labels.${label} }}`])),
    value: HUMAN[unit],
    limit: HUMAN[unit].replace('$value', String(Number(bound.toPrecision(12)))),
  }
  return summary.replace(/\{(\w+)\}/g, (whole, name: string) => words[name] ?? whole)
}
