/**
 * Looks at all rules, again and again, and keeps the book of alerts.
 *
 * Every ten seconds, one rule after the other; a rule with longer windows more rarely, each thirtieth of its shortest. A rule that cannot be looked at
 * leaves its alerts as they are, and is an alert itself: not to know is no reason for silence.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import type { AlertRule } from './alert.ts'
import type { AlertBook } from './alert-book.ts'
import { type Finding, judge } from './judge.ts'
import type { Rule } from './rule.ts'
import type { AskSeries } from './series-question.ts'

/** From the end of one look at the rules to the next. */
export const LOOK_MS = 10_000
/** One question. */
const ANSWER_MS = 10_000
/** One look at all rules; what is then left is not looked at. */
const TURN_MS = 30_000
const WINDOW_PARTS = 30

/** A trouble with alerting itself: its labels, and what is the matter. */
export interface Trouble {
  readonly labels: Readonly<Record<string, string>>
  readonly why: string
}

/** The rules about alerting itself, by the kind of trouble. */
const TROUBLES = {
  rule_failing: 'warning',
  too_many_alerts: 'warning',
  receiver_failing: 'warning',
  rules_refused: 'warning',
} as const

/** What can be the matter with alerting itself. */
export type TroubleKind = keyof typeof TROUBLES

/** Their names: no rule of a file may be called so. */
export const troubleKinds = Object.keys(TROUBLES) as readonly TroubleKind[]

/** What it takes. */
export interface LookoutOptions {
  readonly clock: Clock
  readonly ask: AskSeries
  readonly book: AlertBook
  /** Those that hold now. */
  readonly rules: () => readonly Rule[]
  /** Troubles of others. */
  readonly troubles: () => Readonly<Partial<Record<TroubleKind, readonly Trouble[]>>>
}

/** Looks at rules. */
export class Lookout {
  readonly #options: LookoutOptions
  /** By the rule itself: one that was changed is a new one. */
  readonly #nextMs = new WeakMap<Rule, number>()
  readonly #failing = new Map<string, string>()
  readonly #dropped = new Map<string, string>()

  constructor(options: LookoutOptions) {
    this.#options = options
  }

  /** How many rules could not be looked at the last time. */
  get failing(): number {
    return this.#failing.size
  }

  /** One look. Never rejects for what a rule or the store is like. Ends early when it is closing. */
  async look(isClosing: () => boolean): Promise<void> {
    const { clock, book, rules } = this.#options
    const endMs = clock.monotonicMs() + TURN_MS
    const current = rules()
    const names = new Set<string>([...current.map(({ name }) => name), ...troubleKinds])
    book.keepRules(names, clock.now())
    for (const map of [this.#failing, this.#dropped])
      for (const name of map.keys()) if (!names.has(name)) map.delete(name)
    for (const rule of current) {
      if (isClosing()) return
      if (clock.monotonicMs() > endMs) this.#failing.set(rule.name, 'there was no time left to look at it')
      else if ((this.#nextMs.get(rule) ?? 0) <= clock.monotonicMs()) await this.#lookAt(rule)
    }
    this.#tellTroubles()
  }

  async #lookAt(rule: Rule): Promise<void> {
    const { clock, book } = this.#options
    const shortestMs = Math.min(...rule.conditions.map(({ windowMs }) => windowMs))
    // A tenth less, for the pauses between looks are not quite even.
    const everyMs = Math.max(LOOK_MS, shortestMs / WINDOW_PARTS) * 0.9
    try {
      const { findings, isPartial } = await judge(rule, (question) => this.#bounded(question), clock.now())
      const dropped = book.looked(rule, findings, clock.now())
      note(this.#dropped, rule.name, dropped > 0 ? `${dropped} alerts found no place` : undefined)
      note(this.#failing, rule.name, isPartial ? 'it is about more series than can be looked at' : undefined)
      this.#nextMs.set(rule, clock.monotonicMs() + everyMs)
    } catch (error) {
      // It is tried again at the next look.
      note(this.#failing, rule.name, error instanceof Error ? error.message : String(error))
    }
  }

  async #bounded(question: Parameters<AskSeries>[0]): ReturnType<AskSeries> {
    const { ask, clock } = this.#options
    return new Promise((resolve, reject) => {
      const timer = clock.schedule(ANSWER_MS, () =>
        reject(new FlotillaError('deadline_exceeded', `no answer within ${ANSWER_MS / 1_000} s`)),
      )
      ask(question)
        .then(resolve, reject)
        .finally(() => timer.cancel())
    })
  }

  #tellTroubles(): void {
    const { book, clock, troubles } = this.#options
    const own = {
      rule_failing: troublesOf(this.#failing),
      too_many_alerts: troublesOf(this.#dropped),
      ...troubles(),
    }
    for (const kind of troubleKinds) {
      const rule: AlertRule = { name: kind, severity: TROUBLES[kind], forMs: 60_000, keepFiringMs: 60_000 }
      const findings = (own[kind] ?? []).map(
        ({ labels, why }): Finding => ({
          labels,
          value: 1,
          summary: `${Object.values(labels).join(' ')}: ${why}`,
        }),
      )
      book.looked(rule, findings, clock.now())
    }
  }
}

function note(map: Map<string, string>, name: string, why: string | undefined): void {
  if (why === undefined) map.delete(name)
  else map.set(name, why)
}

function troublesOf(map: ReadonlyMap<string, string>): Trouble[] {
  return [...map].map(([rule, why]) => ({ labels: { rule }, why }))
}
