/**
 * The life of one alert.
 *
 * Its rule is looked at again and again, and holds or does not. The first time that it holds the alert is *pending*; when it has held for as long as
 * the rule asks, *firing*: now people are told. A pending one that no longer holds is forgotten, as if nothing had been. A firing one
 * that no longer holds goes on for the rule's `keepFiringMs`, so that what comes and goes is one alert and not many; then it is *resolved*: people are
 * told that it is over, and it is kept for a day. When it holds again meanwhile, it begins anew as pending, and is resolved as before when nothing comes of that.
 *
 *     nothing --holds--> pending --held long enough--> firing --not for long enough--> resolved --a day--> nothing
 *                          |                                                              |
 *                          +--does not hold--> nothing, or resolved as before          pending <----holds----+
 *
 * When nobody could look, everything stays as it is.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { type Static, Type } from '@flotilla/core/schema'
import type { Finding } from './judge.ts'
import { type Rule, severities } from './rule.ts'

/** An alert. Times are milliseconds since 1970. */
export const Alert = Type.Object({
  /** Of rule and labels. */
  fingerprint: Type.String({ maxLength: 64 }),
  rule: Type.String({ maxLength: 128 }),
  severity: Type.Enum([...severities]),
  labels: Type.Record(Type.String(), Type.String()),
  summary: Type.String(),
  /** The latest for which the rule held. */
  value: Type.Number(),
  state: Type.Enum(['pending', 'firing', 'resolved']),
  /** Pending: since when it holds. Firing, resolved: since when it fired. */
  sinceMs: Type.Number(),
  /** When it was last seen to hold. */
  heldMs: Type.Number(),
  /** Resolved: when. */
  untilMs: Type.Optional(Type.Number()),
  /** Pending, and resolved before: from when to when it fired then. */
  before: Type.Optional(Type.Object({ sinceMs: Type.Number(), untilMs: Type.Number() })),
})

/** An alert as a value. */
export type Alert = Static<typeof Alert>

/** For so long a resolved one is kept. */
export const RESOLVED_KEPT_MS = 86_400_000

/** What an alert needs to know of its rule. */
export type AlertRule = Pick<Rule, 'name' | 'severity' | 'forMs' | 'keepFiringMs'>

/**
 * The alert after its rule was looked at.
 *
 * @param held what it is like now; undefined: the rule does not hold
 */
export function afterLook(
  alert: Alert | undefined,
  held: Alert | undefined,
  { forMs, keepFiringMs }: Pick<AlertRule, 'forMs' | 'keepFiringMs'>,
  nowMs: number,
): Alert | undefined {
  if (held === undefined) return afterNot(alert, keepFiringMs, nowMs)
  if (alert?.state === 'firing') return { ...held, state: 'firing', sinceMs: alert.sinceMs }
  const sinceMs = alert?.state === 'pending' ? Math.min(alert.sinceMs, nowMs) : nowMs
  if (nowMs - sinceMs >= forMs) return { ...held, state: 'firing', sinceMs: nowMs }
  const before = alert === undefined ? undefined : firedBefore(alert)
  return { ...held, state: 'pending', sinceMs, ...(before === undefined ? {} : { before }) }
}

function afterNot(alert: Alert | undefined, keepFiringMs: number, nowMs: number): Alert | undefined {
  if (alert?.state === 'firing') {
    const isOver = nowMs - alert.heldMs >= keepFiringMs
    return isOver ? { ...alert, state: 'resolved', untilMs: nowMs } : alert
  }
  const past = alert === undefined ? undefined : asPast(alert)
  return past === undefined || nowMs - (past.untilMs ?? nowMs) >= RESOLVED_KEPT_MS ? undefined : past
}

/** What people may be told of: an alert that is pending again is still resolved to them, one that never fired is nothing. */
export function asPast(alert: Alert): Alert | undefined {
  if (alert.state !== 'pending') return alert
  const { before, ...rest } = alert
  return before === undefined ? undefined : { ...rest, state: 'resolved', ...before }
}

function firedBefore(alert: Alert): Alert['before'] {
  const { state, sinceMs, untilMs, before } = alert
  return state === 'resolved' && untilMs !== undefined ? { sinceMs, untilMs } : before
}

/** The alert that a finding is, as if it were new. */
export function alertOf(rule: AlertRule, { labels, value, summary }: Finding, nowMs: number): Alert {
  return {
    fingerprint: fingerprintOf(rule.name, labels),
    rule: rule.name,
    severity: rule.severity,
    labels,
    summary,
    value,
    state: 'pending',
    sinceMs: nowMs,
    heldMs: nowMs,
  }
}

/** Sixteen digits that are the same for the same rule and labels, and in every process. */
function fingerprintOf(rule: string, labels: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([rule, sorted]))
    .digest('hex')
    .slice(0, 16)
}

/**
 * The alert after nobody looked from `lookedMs` until now: that time counts for nothing. A pending one has not held meanwhile for longer, and a
 * firing one is not over because it was not seen to hold.
 */
export function afterAbsence(alert: Alert, lookedMs: number, nowMs: number): Alert {
  const awayMs = Math.max(0, nowMs - lookedMs)
  if (alert.state === 'resolved') return alert
  const heldMs = alert.heldMs + awayMs
  return alert.state === 'firing'
    ? { ...alert, heldMs }
    : { ...alert, heldMs, sinceMs: alert.sinceMs + awayMs }
}
