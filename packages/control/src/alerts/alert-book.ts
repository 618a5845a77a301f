/**
 * All alerts there are. Their number is bounded: when everything is wrong at once, those that are known go on, and what is too much is counted.
 *
 * @module
 */
import { type Alert, type AlertRule, afterLook, alertOf } from './alert.ts'
import type { Finding } from './judge.ts'

const RULE_LIVE_MAX = 100
const LIVE_MAX = 1_000
const RESOLVED_MAX = 500

/** The alerts. */
export class AlertBook {
  readonly #alerts: Map<string, Alert>

  constructor(alerts: readonly Alert[] = []) {
    this.#alerts = new Map(alerts.map((alert) => [alert.fingerprint, alert]))
  }

  /** In no particular order. */
  get all(): readonly Alert[] {
    return [...this.#alerts.values()]
  }

  /**
   * A rule was looked at: it holds for these, and for nobody else.
   *
   * @returns how many of them found no place
   */
  looked(rule: AlertRule, findings: readonly Finding[], nowMs: number): number {
    const held = new Map(
      findings.map((finding) => {
        const alert = alertOf(rule, finding, nowMs)
        return [alert.fingerprint, alert] as const
      }),
    )
    const known = this.all.filter((alert) => alert.rule === rule.name)
    for (const alert of known) this.#set(alert, afterLook(alert, held.get(alert.fingerprint), rule, nowMs))
    const places = this.#places(rule)
    const fresh = [...held.values()].filter(({ fingerprint }) => !known.some(isNamed(fingerprint)))
    for (const alert of fresh.slice(0, places)) this.#set(alert, afterLook(undefined, alert, rule, nowMs))
    this.#forgetResolved()
    return Math.max(0, fresh.length - places)
  }

  /** Rules that are no longer there hold for nobody, at once. */
  keepRules(names: ReadonlySet<string>, nowMs: number): void {
    for (const alert of this.all.filter(({ rule }) => !names.has(rule)))
      this.#set(alert, afterLook(alert, undefined, { forMs: 0, keepFiringMs: 0 }, nowMs))
  }

  #places(rule: AlertRule): number {
    const live = this.all.filter(({ state }) => state !== 'resolved')
    const own = live.filter((alert) => alert.rule === rule.name)
    return Math.max(0, Math.min(RULE_LIVE_MAX - own.length, LIVE_MAX - live.length))
  }

  #set({ fingerprint }: Alert, next: Alert | undefined): void {
    if (next === undefined) this.#alerts.delete(fingerprint)
    else this.#alerts.set(fingerprint, next)
  }

  #forgetResolved(): void {
    const resolved = this.all.filter(({ state }) => state === 'resolved').sort(byEnd)
    for (const { fingerprint } of resolved.slice(0, Math.max(0, resolved.length - RESOLVED_MAX)))
      this.#alerts.delete(fingerprint)
  }
}

function isNamed(fingerprint: string): (alert: Alert) => boolean {
  return (alert) => alert.fingerprint === fingerprint
}

function byEnd(one: Alert, other: Alert): number {
  return (one.untilMs ?? 0) - (other.untilMs ?? 0)
}
