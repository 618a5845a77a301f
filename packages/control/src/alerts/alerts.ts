/**
 * Alerts: rules are looked at, people are told, and what is wrong can be asked for.
 *
 * @module
 */
import { type Clock, isoTime } from '@flotilla/core/clock'
import { Closing } from '@flotilla/core/closing'
import type { HttpClient } from '@flotilla/core/http-client'
import type { Logger } from '@flotilla/core/log'
import type { Metrics } from '@flotilla/core/metrics'
import type { Random } from '@flotilla/core/random'
import { Ticker } from '@flotilla/core/ticker'
import { type Alert, afterAbsence } from './alert.ts'
import { AlertBook } from './alert-book.ts'
import { LOOK_MS, Lookout } from './lookout.ts'
import { Notifier } from './notifier.ts'
import { type Severity, severities } from './rule.ts'
import { RuleFiles } from './rule-files.ts'
import type { AskSeries } from './series-question.ts'
import { type State, StateFile } from './state-file.ts'

/** One question that is asked, or one message that is sent, may be going on. */
const CLOSING_MS = 30_000

/** What it takes. */
export interface AlertsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
  readonly http: HttpClient
  readonly ask: AskSeries
  /** Where alerts are kept; its folder is there. */
  readonly statePath: string
  /** Files of rules, JSON or YAML; a later one replaces what has the same name in one before. */
  readonly rulePaths: readonly string[]
  /** For so long samples are kept. */
  readonly keptMs: number
  /** Where people see more; without a slash at its end. */
  readonly consoleUrl: string
}

/** An alert, as it is shown. Times are ISO 8601. */
export interface AlertEntry {
  readonly rule: string
  readonly severity: Severity
  readonly state: Alert['state']
  readonly summary: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Pending: since when its rule holds; else since when it fired. */
  readonly since: string
  /** When it was resolved. */
  readonly until?: string
}

/** Alerts, at work. */
export interface Alerts extends AsyncDisposable {
  /** What fires, the worst first; what is pending; what was resolved within a day, the latest first. */
  list(): readonly AlertEntry[]
  /** Ends after the look that is going on, and keeps what is known. */
  close(): Promise<void>
}

/** Starts. Files with mistakes, and a store that does not answer, keep it from nothing: they are alerts. */
export async function openAlerts(options: AlertsOptions): Promise<Alerts> {
  const { clock, random, log, statePath, rulePaths, keptMs, ask } = options
  const closing = new Closing(clock, CLOSING_MS)
  const file = new StateFile(statePath, log)
  const { alerts = [], lookedMs = 0, known = {} } = (await file.read()) ?? {}
  const book = new AlertBook(alerts.map((alert) => afterAbsence(alert, lookedMs, clock.now())))
  const files = new RuleFiles({ paths: rulePaths, clock, log, keptMs })
  closing.defer('files of alert rules', () => files.close())
  await files.open()
  const notifier = new Notifier(
    notifierOptions(options, book, () => keep()),
    known,
  )
  const state = (): State => ({
    version: 1,
    lookedMs: clock.now(),
    alerts: [...book.all],
    known: { ...notifier.known },
  })
  const keep = (): Promise<void> => file.write(state)
  closing.defer('state of alerts', keep)
  closing.defer('notifications', () => notifier.close())
  const lookout = new Lookout({
    clock,
    ask,
    book,
    rules: () => files.rules,
    troubles: () => ({ receiver_failing: notifier.troubles, rules_refused: files.refused }),
  })
  showIn(options.metrics, book, lookout)
  const ticker = new Ticker({
    clock,
    random,
    intervalMs: LOOK_MS,
    turn: async () => {
      await notifier.replace(files.receivers)
      await lookout.look(() => ticker.isClosing)
      // Before anybody is told: what was told must be known after a crash.
      await keep()
      notifier.wake()
    },
    onError: (error) => log.error('alert rules cannot be looked at', { error }),
  })
  closing.defer('alert rules', () => ticker.close())
  return {
    list: () => [...book.all].sort(byUrgency).map(entryOf),
    close: () => closing.close(),
    [Symbol.asyncDispose]: () => closing.close(),
  }
}

function notifierOptions(
  { clock, random, http, log, consoleUrl, metrics }: AlertsOptions,
  book: AlertBook,
  onKnown: () => Promise<void>,
): ConstructorParameters<typeof Notifier>[0] {
  const told = metrics.counter('flotilla_alert_messages_total', 'Messages about alerts.', [
    'receiver',
    'outcome',
  ])
  return {
    clock,
    random,
    http,
    log,
    consoleUrl,
    alerts: () => book.all,
    count: (receiver, outcome) => told.with(receiver, outcome),
    onKnown: () => void onKnown(),
  }
}

function showIn(metrics: Metrics, book: AlertBook, lookout: Lookout): void {
  const count = metrics.gauge('flotilla_alerts', 'Alerts that are pending or fire.', ['severity', 'state'])
  const failing = metrics.gauge('flotilla_alert_rules_failing', 'Rules that cannot be looked at.').with()
  metrics.onScrape(() => {
    failing.set(lookout.failing)
    for (const severity of severities) {
      for (const state of ['pending', 'firing']) {
        const those = book.all.filter((alert) => alert.severity === severity && alert.state === state)
        count.with(severity, state).set(those.length)
      }
    }
  })
}

function byUrgency(one: Alert, other: Alert): number {
  const rank = ({ state, severity }: Alert): number =>
    ['firing', 'pending', 'resolved'].indexOf(state) * severities.length +
    (state === 'resolved' ? 0 : severities.indexOf(severity))
  return rank(one) - rank(other) || (other.untilMs ?? other.sinceMs) - (one.untilMs ?? one.sinceMs)
}

function entryOf({ rule, severity, state, summary, labels, value, sinceMs, untilMs }: Alert): AlertEntry {
  const entry = { rule, severity, state, summary, labels, value, since: isoTime(sinceMs) }
  return untilMs === undefined ? entry : { ...entry, until: isoTime(untilMs) }
}
