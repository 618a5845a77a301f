/**
 * How rules are written in a file, and what they then mean.
 *
 * @module
 */
import { closed, type Static, Type } from '@flotilla/core/schema'
import { Duration, durationMs } from './duration.ts'
import { type Condition, type Rule, type Selection, severities, valueUnits } from './rule.ts'

/** Names of rules, objectives, receivers. */
export const NAME_PATTERN = '^[a-z][a-z0-9_]{0,62}$'

const LABEL_PATTERN = '^[a-zA-Z_][a-zA-Z0-9_]{0,62}$'
const Label = Type.String({ pattern: LABEL_PATTERN })
const Value = Type.String({ maxLength: 200 })

/** By name, and nothing but names. */
function named<T extends Parameters<typeof Type.Record>[1]>(
  pattern: string,
  value: T,
  maxProperties: number,
) {
  return Type.Record(Type.String({ pattern }), value, { additionalProperties: false, maxProperties })
}

const Matchers = named(
  LABEL_PATTERN,
  Type.Union([Value, Type.Array(Value, { minItems: 1, maxItems: 50 })]),
  10,
)

/** Of an objective: what is counted. */
const Counted = Type.Object({
  metric: Type.String({ pattern: '^[a-zA-Z_:][a-zA-Z0-9_:]{0,126}$' }),
  where: Type.Optional(Matchers),
  not: Type.Optional(Matchers),
})

const Selected = Type.Object({
  ...Counted.properties,
  as: Type.Optional(Type.Enum(['value', 'rate', 'quantile'])),
  quantile: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  merge: Type.Optional(Type.Enum(['sum', 'avg', 'min', 'max'])),
})

const told = {
  summary: Type.String({ minLength: 1, maxLength: 300 }),
  by: Type.Optional(Type.Array(Label, { maxItems: 8 })),
  labels: Type.Optional(named(LABEL_PATTERN, Value, 10)),
  minRate: Type.Optional(Type.Number({ minimum: 0 })),
}

/** A rule as it is written. */
export const RuleSpec = Type.Object({
  ...told,
  severity: Type.Enum([...severities]),
  of: Type.Optional(Selected),
  per: Type.Optional(Selected),
  minus: Type.Optional(Selected),
  above: Type.Optional(Type.Number()),
  below: Type.Optional(Type.Number()),
  absent: Type.Optional(Counted),
  unit: Type.Optional(Type.Enum([...valueUnits])),
  over: Type.Optional(Duration),
  for: Type.Optional(Duration),
  keepFiring: Type.Optional(Duration),
})

/** A rule as it is written, as a value. */
export type RuleSpec = Static<typeof RuleSpec>

/** An objective as it is written: of all that `total` counts, this share is to be good, over 30 days. */
export const ObjectiveSpec = Type.Object({
  ...told,
  objective: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }),
  good: Type.Optional(Counted),
  bad: Type.Optional(Counted),
  total: Counted,
})

/** An objective as it is written, as a value. */
export type ObjectiveSpec = Static<typeof ObjectiveSpec>

const RULES_MAX = 100

/** All rules of a file. */
export const RuleSpecs = closed(named(NAME_PATTERN, RuleSpec, RULES_MAX))

/** All objectives of a file. */
export const ObjectiveSpecs = closed(named(NAME_PATTERN, ObjectiveSpec, 20))

/** Mistakes that the schema cannot see, each as `pointer: what is wrong`. */
export function mistakesInRules(specs: Readonly<Record<string, RuleSpec>>): string[] {
  return Object.entries(specs).flatMap(([name, spec]) => mistakesInRule(spec).map((one) => `/${name}${one}`))
}

function mistakesInRule(spec: RuleSpec): string[] {
  const { of, per, minus, above, below, absent, minRate } = spec
  const found: string[] = []
  if ((of === undefined) === (absent === undefined)) found.push(': needs either of or absent')
  if (absent !== undefined) {
    const others = (['per', 'minus', 'above', 'below', 'minRate', 'by'] as const).filter(
      (field) => spec[field] !== undefined,
    )
    return [...found, ...others.map((field) => `/${field}: means nothing beside absent`)]
  }
  if ((above === undefined) === (below === undefined)) found.push(': needs either above or below')
  if (per !== undefined && minus !== undefined) found.push(': has both per and minus')
  for (const [field, one] of Object.entries({ of, per, minus })) {
    if (one?.quantile !== undefined && one.as !== 'quantile')
      found.push(`/${field}/quantile: means nothing unless as is quantile`)
    if (one?.merge !== undefined && (one.as ?? 'value') !== 'value')
      found.push(`/${field}/merge: means nothing unless as is value`)
  }
  const isCounted = per?.as === 'rate' || of?.as === 'quantile'
  if (minRate !== undefined && !isCounted)
    found.push('/minRate: needs a rate to divide by, or a quantile, to go by')
  return found
}

/** Mistakes in objectives that the schema cannot see. */
export function mistakesInObjectives(specs: Readonly<Record<string, ObjectiveSpec>>): string[] {
  return Object.entries(specs)
    .filter(([, { good, bad }]) => (good === undefined) === (bad === undefined))
    .map(([name]) => `/${name}: needs either good or bad`)
}

const DEFAULT_WINDOW = '5m'
/** Of a value: how old the latest may be. */
const DEFAULT_VALUE_WINDOW = '1m'
/** How long what stopped goes on as an alert, unless the rule says. */
export const DEFAULT_KEEP_FIRING = '1m'

/** The rule that a spec without mistakes stands for. */
export function ruleOf(name: string, spec: RuleSpec): Rule {
  const { severity, summary, by = [], labels = {}, unit = 'count' } = spec
  return {
    name,
    severity,
    summary,
    unit,
    by,
    labels,
    conditions: [conditionOf(spec)],
    forMs: durationMs(spec.for ?? '0s'),
    keepFiringMs: durationMs(spec.keepFiring ?? DEFAULT_KEEP_FIRING),
  }
}

function conditionOf(spec: RuleSpec): Condition {
  const { of, per, minus, above, below, absent, minRate = 0 } = spec
  if (absent !== undefined || of === undefined) {
    const windowMs = durationMs(spec.over ?? DEFAULT_VALUE_WINDOW)
    return { is: 'absent', of: selectionOf(absent ?? { metric: '' }), windowMs }
  }
  const isLatest = (of.as ?? 'value') === 'value'
  return {
    is: above === undefined ? 'below' : 'above',
    limit: above ?? below ?? 0,
    of: selectionOf(of),
    ...(per === undefined ? {} : { per: selectionOf(per) }),
    ...(minus === undefined ? {} : { minus: selectionOf(minus) }),
    windowMs: durationMs(spec.over ?? (isLatest ? DEFAULT_VALUE_WINDOW : DEFAULT_WINDOW)),
    minRate,
  }
}

/** What a part of a spec selects. */
export function selectionOf(spec: Static<typeof Selected>): Selection {
  const { metric, as = 'value', quantile = 0.99, merge = 'sum' } = spec
  return { metric, where: listed(spec.where), not: listed(spec.not), as, quantile, merge }
}

function listed(
  matchers: Readonly<Record<string, string | readonly string[]>> = {},
): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(matchers).map(([label, value]) => [label, typeof value === 'string' ? [value] : value]),
  )
}
