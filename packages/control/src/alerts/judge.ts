/**
 * Looks whether a rule holds now, and for whom.
 *
 * @module
 */
import {
  type AbsenceCondition,
  type Condition,
  type LimitCondition,
  type Rule,
  type Selection,
  summaryOf,
} from './rule.ts'
import type { AskSeries } from './series-question.ts'

/** Somebody for whom the rule holds. */
export interface Finding {
  /** Those that the rule tells apart, and its own; none is empty. */
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly summary: string
}

/** What came of looking. */
export interface Judgement {
  readonly findings: readonly Finding[]
  /** True: there were more series than could be looked at. */
  readonly isPartial: boolean
}

type Value = Pick<Finding, 'labels' | 'value'>

/** Values by their labels, written as a text. */
type Measured = ReadonlyMap<string, Value>

/** @throws whatever `ask` rejects with: then nothing is known. */
export async function judge(rule: Rule, ask: AskSeries, nowMs: number): Promise<Judgement> {
  const asked = new Questioner(ask, rule.by, nowMs)
  let holding: Measured | undefined
  for (const condition of rule.conditions) {
    const found: Measured = await holdingFor(condition, asked)
    holding = holding === undefined ? found : keepKnown(holding, found)
    // The further conditions, of longer windows, are asked only when it matters.
    if (holding.size === 0) break
  }
  const findings = [...(holding?.values() ?? [])].map(({ labels: own, value }) => {
    const labels = { ...own, ...rule.labels }
    return { labels, value, summary: summaryOf(rule, labels, value) }
  })
  return { findings, isPartial: asked.isPartial }
}

function keepKnown(these: Measured, known: Measured): Measured {
  return new Map([...these].filter(([key]) => known.has(key)))
}

async function holdingFor(condition: Condition, asked: Questioner): Promise<Measured> {
  if (condition.is === 'absent') return absence(condition, asked)
  const { is, limit } = condition
  const measured = await measure(condition, asked)
  return new Map([...measured].filter(([, { value }]) => (is === 'above' ? value > limit : value < limit)))
}

async function absence({ of, windowMs }: AbsenceCondition, asked: Questioner): Promise<Measured> {
  const found = await asked.measure(of, windowMs)
  return found.size > 0 ? new Map() : new Map([['', { labels: {}, value: 0 }]])
}

async function measure(condition: LimitCondition, asked: Questioner): Promise<Measured> {
  const { of, per, minus, isRest = false, windowMs, minRate } = condition
  const measured = await asked.measure(of, windowMs)
  if (per !== undefined) {
    const divisors = await asked.measure(per, windowMs)
    const isEnough = (rate: number): boolean => rate > 0 && (per.as !== 'rate' || rate >= minRate)
    return combined(divisors, (key, divisor) => {
      // A counter that is not there yet has counted nothing; a value that is not there is not known.
      const dividend = measured.get(key)?.value ?? (of.as === 'rate' ? 0 : undefined)
      if (dividend === undefined || !isEnough(divisor)) return undefined
      return isRest ? 1 - dividend / divisor : dividend / divisor
    })
  }
  const enough = await oftenEnough(measured, of, condition, asked)
  if (minus === undefined) return enough
  const less = await oftenEnough(await asked.measure(minus, windowMs), minus, condition, asked)
  return combined(enough, (key, value) => {
    const other = less.get(key)?.value
    return other === undefined ? undefined : value - other
  })
}

/** Those quantiles that are of enough observations; all others as they are. */
async function oftenEnough(
  measured: Measured,
  of: Selection,
  { windowMs, minRate }: LimitCondition,
  asked: Questioner,
): Promise<Measured> {
  if (minRate === 0 || of.as !== 'quantile' || measured.size === 0) return measured
  const rates = await asked.measure({ ...of, metric: `${of.metric}_count`, as: 'rate' }, windowMs)
  return new Map([...measured].filter(([key]) => (rates.get(key)?.value ?? 0) >= minRate))
}

function combined(all: Measured, value: (key: string, value: number) => number | undefined): Measured {
  const result = new Map<string, Value>()
  for (const [key, one] of all) {
    const combinedValue = value(key, one.value)
    if (combinedValue !== undefined) result.set(key, { ...one, value: combinedValue })
  }
  return result
}

/** Asks, and makes one value of each series. */
class Questioner {
  readonly #ask: AskSeries
  readonly #by: readonly string[]
  readonly #nowMs: number
  isPartial = false

  constructor(ask: AskSeries, by: readonly string[], nowMs: number) {
    this.#ask = ask
    this.#by = by
    this.#nowMs = nowMs
  }

  async measure({ metric, where, not, as, quantile, merge }: Selection, windowMs: number): Promise<Measured> {
    const { series, isTruncated = false } = await this.#ask({
      name: metric,
      matchers: [
        ...Object.entries(where).map(([label, values]) => ({ label, is: '=' as const, values })),
        ...Object.entries(not).map(([label, values]) => ({ label, is: '!=' as const, values })),
      ],
      as,
      quantile,
      by: this.#by,
      merge,
      fromMs: this.#nowMs - windowMs,
      toMs: this.#nowMs,
    })
    this.isPartial ||= isTruncated
    const measured = new Map<string, Value>()
    for (const { labels, points } of series) {
      const value = points.at(-1)?.[1]
      if (value === undefined || !Number.isFinite(value)) continue
      const own = this.#by.flatMap((name): [string, string][] => {
        const text = labels[name] ?? ''
        return text === '' ? [] : [[name, text]]
      })
      measured.set(JSON.stringify(own), { labels: Object.fromEntries(own), value })
    }
    return measured
  }
}
