/**
 * What receivers are told: one message for the alerts of one rule, in the shape that Alertmanager gives its webhooks, so that whatever understands
 * those understands ours.
 *
 * @source https://prometheus.io/docs/alerting/latest/configuration/#webhook_config, version 4
 * @module
 */
import { isoTime } from '@flotilla/core/clock'
import type { Alert } from './alert.ts'

/** An alert as Alertmanager tells it. */
export interface ToldAlert {
  readonly status: 'firing' | 'resolved'
  /** Its name, severity, and those of its own. */
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
  /** While it fires: the zero time of Go, as Alertmanager writes it. */
  readonly endsAt: string
  readonly generatorURL: string
  readonly fingerprint: string
}

/** A message. */
export interface Message {
  readonly version: '4'
  readonly groupKey: string
  readonly truncatedAlerts: number
  readonly status: 'firing' | 'resolved'
  readonly receiver: string
  readonly groupLabels: Readonly<Record<string, string>>
  readonly commonLabels: Readonly<Record<string, string>>
  readonly commonAnnotations: Readonly<Record<string, string>>
  readonly externalURL: string
  readonly alerts: readonly ToldAlert[]
}

/** What a message is made of. */
export interface MessageParts {
  readonly receiver: string
  readonly rule: string
  /** Firing and resolved ones of that rule; at least one. */
  readonly alerts: readonly Alert[]
  /** How many there were besides. */
  readonly left: number
  /** Where people see more: the console. */
  readonly consoleUrl: string
}

const NOT_YET = '0001-01-01T00:00:00Z'

/** The message. */
export function messageOf({ receiver, rule, alerts, left, consoleUrl }: MessageParts): Message {
  const told = alerts.map((alert) => toldAlert(alert, consoleUrl))
  return {
    version: '4',
    groupKey: `{}:{alertname="${rule}"}`,
    truncatedAlerts: left,
    status: told.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    receiver,
    groupLabels: { alertname: rule },
    commonLabels: shared(told.map(({ labels }) => labels)),
    commonAnnotations: shared(told.map(({ annotations }) => annotations)),
    externalURL: consoleUrl,
    alerts: told,
  }
}

function toldAlert(alert: Alert, consoleUrl: string): ToldAlert {
  const { state, rule, severity, labels, summary, value, sinceMs, untilMs, fingerprint } = alert
  return {
    status: state === 'resolved' ? 'resolved' : 'firing',
    labels: { ...labels, alertname: rule, severity },
    annotations: { summary, value: String(value) },
    startsAt: isoTime(sinceMs),
    endsAt: untilMs === undefined ? NOT_YET : isoTime(untilMs),
    generatorURL: `${consoleUrl}/alerts?rule=${encodeURIComponent(rule)}`,
    fingerprint,
  }
}

/** What all say alike. */
function shared(all: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const [first = {}, ...others] = all
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => others.every((one) => one[name] === value)),
  )
}

/** The subject of a mail: how many fire, what, how bad. */
export function subjectOf({ status, alerts, groupLabels, commonLabels }: Message): string {
  const firing = alerts.filter((alert) => alert.status === 'firing').length
  const state = status === 'firing' ? `${commonLabels['severity'] ?? 'FIRING'}: ${firing} firing` : 'resolved'
  return `[${state}] ${groupLabels['alertname']}`
}

/** A message as people read it. */
export function textOf({ alerts, truncatedAlerts, externalURL }: Message): string {
  const part = (status: ToldAlert['status'], title: string): string[] => {
    const those = alerts.filter((alert) => alert.status === status)
    if (those.length === 0) return []
    return [title, ...those.map((alert) => `- ${alert.annotations['summary']} (${timesOf(alert)})`), '']
  }
  return [
    ...part('firing', 'Firing:'),
    ...part('resolved', 'Resolved:'),
    ...(truncatedAlerts > 0 ? [`And ${truncatedAlerts} more.`, ''] : []),
    `${externalURL}/alerts`,
    '',
  ].join('\n')
}

function timesOf({ status, startsAt, endsAt }: ToldAlert): string {
  return status === 'firing' ? `since ${startsAt}` : `from ${startsAt} to ${endsAt}`
}
