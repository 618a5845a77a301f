/**
 * Who must be told what, and when.
 *
 * A receiver is told until it knows how things are: of every alert that fires, and of every one that is over which it was told of, or would have been. What it knows is what it
 * said yes to; so after a crash, or a lost answer, it may hear the same again, and when it was away for long it hears how things are now, not what
 * happened in between. The alerts of one rule are told together, at once when the first fires, then at most once a minute; what
 * goes on firing is told again from time to time.
 *
 * @module
 */
import { type Static, Type } from '@flotilla/core/schema'
import { type Alert, asPast } from './alert.ts'
import type { Severity } from './rule.ts'

/** What one receiver knows. */
export const Known = Type.Object({
  /** Since when there is this receiver: of what fired before and is over it need not hear. */
  sinceMs: Type.Number(),
  /** By fingerprint: what it was told, and of which time it fired. */
  alerts: Type.Record(
    Type.String(),
    Type.Object({ state: Type.Enum(['firing', 'resolved']), sinceMs: Type.Number() }),
  ),
  /** By rule: when it was last told anything. */
  groups: Type.Record(Type.String(), Type.Number()),
})

/** What one receiver knows, as a value. */
export type Known = Static<typeof Known>

/** What a receiver wants. */
export interface Wish {
  readonly severities: readonly Severity[]
  readonly repeatMs: number
}

/** Something to tell. */
export interface Telling {
  readonly rule: string
  readonly alerts: readonly Alert[]
  /** How many more there are, to be told next. */
  readonly left: number
}

/** Between two messages about the same rule. */
const GROUP_MS = 60_000
const ALERTS_MAX = 100

/** What is to be told now. */
export function tellingsFor(
  alerts: readonly Alert[],
  known: Known,
  { severities, repeatMs }: Wish,
  nowMs: number,
): readonly Telling[] {
  const groups = new Map<string, Alert[]>()
  for (const alert of alerts.flatMap((one) => asPast(one) ?? [])) {
    if (!severities.includes(alert.severity)) continue
    groups.set(alert.rule, [...(groups.get(alert.rule) ?? []), alert])
  }
  return [...groups].flatMap(([rule, those]): Telling[] => {
    const news = those.filter((alert) => isNews(alert, known))
    const old = those.filter((alert) => alert.state === 'firing' && !news.includes(alert))
    const agoMs = Math.abs(nowMs - (known.groups[rule] ?? 0))
    const isDue = news.length > 0 ? agoMs >= GROUP_MS : old.length > 0 && agoMs >= repeatMs
    const told = [...news, ...old]
    if (!isDue) return []
    return [{ rule, alerts: told.slice(0, ALERTS_MAX), left: Math.max(0, told.length - ALERTS_MAX) }]
  })
}

function isNews({ fingerprint, state, sinceMs }: Alert, known: Known): boolean {
  const told = known.alerts[fingerprint]
  if (told === undefined) return state === 'firing' || sinceMs >= known.sinceMs
  return told.state !== state || told.sinceMs !== sinceMs
}

/** What the receiver knows after it took `telling`; `alerts` are all there are, and what is none of them is forgotten. */
export function afterTelling(known: Known, telling: Telling, alerts: readonly Alert[], nowMs: number): Known {
  const there = new Set(alerts.map(({ fingerprint }) => fingerprint))
  const rules = new Set(alerts.map(({ rule }) => rule))
  const told = telling.alerts.map(({ fingerprint, state, sinceMs }) => [
    fingerprint,
    { state: state === 'resolved' ? ('resolved' as const) : ('firing' as const), sinceMs },
  ])
  return {
    sinceMs: known.sinceMs,
    alerts: {
      ...Object.fromEntries(Object.entries(known.alerts).filter(([fingerprint]) => there.has(fingerprint))),
      ...Object.fromEntries(told),
    },
    groups: {
      ...Object.fromEntries(Object.entries(known.groups).filter(([rule]) => rules.has(rule))),
      [telling.rule]: nowMs,
    },
  }
}
