import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type Clock, systemClock } from '@flotilla/core/clock'
import { createHttpClient } from '@flotilla/core/http-client'
import { listen } from '@flotilla/core/http-server'
import { createLogger } from '@flotilla/core/log'
import { Metrics } from '@flotilla/core/metrics'
import { systemRandom } from '@flotilla/core/random'
import { until } from '@flotilla/core/until'
import { type Alerts, openAlerts } from './alerts.ts'
import type { Message } from './message.ts'
import { WrittenSeries } from './written-series.test.ts'

const FASTER = 50

/** The machine's clock, faster: minutes are less than a second. */
const quickClock: Clock = {
  now: () => systemClock.now() * FASTER,
  monotonicMs: () => systemClock.monotonicMs() * FASTER,
  // But not the limit for closing: disks are no faster.
  schedule: (delayMs, action) => systemClock.schedule(delayMs < 30_000 ? delayMs / FASTER : delayMs, action),
  sleep: (delayMs, signal) => systemClock.sleep(delayMs / FASTER, signal),
}

interface Webhook {
  readonly url: string
  /** What came, whether it was answered with 200 or not. */
  readonly messages: Message[]
  status: number
}

async function openWebhook(t: TestContext): Promise<Webhook> {
  const webhook = { url: '', messages: [] as Message[], status: 200 }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => {
      body += part
    })
    request.on('end', () => {
      webhook.messages.push(JSON.parse(body) as Message)
      response.writeHead(webhook.status).end()
    })
  })
  await listen(server, '127.0.0.1', 0)
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  webhook.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/hook`
  return webhook
}

const rules = (receivers: string): string => `
off: [nothing_heard]
rules:
  full:
    severity: critical
    summary: '{queue} holds {value}'
    of: { metric: held }
    by: [queue]
    above: 10
    for: 10s
    keepFiring: 0s
receivers: ${receivers}
`

interface Bed {
  readonly folder: string
  readonly series: WrittenSeries
  readonly metrics: Metrics
  open(): Promise<Alerts>
  /** Says how much a queue holds, from now on. */
  hold(queue: string, value: number): void
}

function bed(t: TestContext, receivers: string): Bed {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-alerts-'))
  const path = join(folder, 'rules.yaml')
  writeFileSync(path, rules(receivers))
  const series = new WrittenSeries()
  const held = new Map<string, number>()
  const metrics = new Metrics()
  const http = createHttpClient(systemClock)
  const opened: Alerts[] = []
  t.after(async () => {
    for (const alerts of opened) await alerts.close()
    await http.close()
    rmSync(folder, { recursive: true })
  })
  return {
    folder,
    series,
    metrics,
    async open() {
      const alerts = await openAlerts({
        clock: quickClock,
        random: systemRandom,
        log: createLogger({ level: 'silent', clock: systemClock, fields: {} }),
        metrics,
        http,
        async ask(question) {
          for (const [queue, value] of held) series.write('held', { queue }, question.toMs - 1, value)
          return series.ask(question)
        },
        statePath: join(folder, 'alerts.json'),
        rulePaths: [path],
        keptMs: 3_600_000,
        consoleUrl: 'http://127.0.0.1:8090/console',
      })
      opened.push(alerts)
      return alerts
    },
    hold: (queue, value) => held.set(queue, value),
  }
}

const states = (alerts: Alerts): string[] =>
  alerts.list().map(({ rule, labels, state }) => `${rule} ${Object.values(labels).join()} ${state}`)

describe('openAlerts', () => {
  it('tells a webhook, as Alertmanager would, that an alert fires and that it is over', async (t) => {
    const webhook = await openWebhook(t)
    const { open, hold, metrics } = bed(t, `{ people: { webhook: { url: '${webhook.url}' } } }`)
    const alerts = await open()
    assert.deepEqual(alerts.list(), [])
    hold('in', 12)
    await until('it fires', () => states(alerts)[0] === 'full in firing')
    await until('it is told', () => webhook.messages.length > 0)
    const [entry] = alerts.list()
    const { since, ...rest } = entry ?? assert.fail()
    assert.match(since, /^\+?\d+-/)
    assert.deepEqual(rest, {
      rule: 'full',
      severity: 'critical',
      state: 'firing',
      summary: 'in holds 12',
      labels: { queue: 'in' },
      value: 12,
    })
    assert.match(metrics.toPrometheus(), /^flotilla_alerts\{severity="critical",state="firing"\} 1$/m)
    const { alerts: told, ...message } = webhook.messages[0] ?? assert.fail()
    const labels = { alertname: 'full', severity: 'critical', queue: 'in' }
    const annotations = { summary: 'in holds 12', value: '12' }
    assert.deepEqual(message, {
      version: '4',
      groupKey: '{}:{alertname="full"}',
      truncatedAlerts: 0,
      status: 'firing',
      receiver: 'people',
      groupLabels: { alertname: 'full' },
      commonLabels: labels,
      commonAnnotations: annotations,
      externalURL: 'http://127.0.0.1:8090/console',
    })
    const { fingerprint, ...first } = told[0] ?? assert.fail()
    assert.match(fingerprint, /^[0-9a-f]{16}$/)
    assert.deepEqual(first, {
      status: 'firing',
      labels,
      annotations,
      startsAt: since,
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'http://127.0.0.1:8090/console/alerts?rule=full',
    })
    hold('in', 3)
    await until('it is over', () => states(alerts)[0] === 'full in resolved')
    await until('that is told', () => webhook.messages.length > 1)
    assert.equal(webhook.messages[1]?.status, 'resolved')
    assert.equal(webhook.messages[1]?.alerts[0]?.startsAt, since)
    assert.equal(webhook.messages[1]?.alerts[0]?.endsAt, alerts.list()[0]?.until)
  })

  it('goes on after a restart as if nothing had been: nothing is told twice', async (t) => {
    const webhook = await openWebhook(t)
    const { open, hold, folder } = bed(t, `{ people: { webhook: { url: '${webhook.url}' } } }`)
    const first = await open()
    hold('in', 12)
    await until('it is told', () => webhook.messages.length > 0)
    await first.close()
    const before = first.list()
    assert.ok(JSON.parse(readFileSync(join(folder, 'alerts.json'), 'utf8')).known.people)
    const second = await open()
    assert.deepEqual(second.list(), before)
    hold('in', 3)
    await until('its end is told', () => webhook.messages.length > 1)
    assert.deepEqual(
      webhook.messages.map(({ status }) => status),
      ['firing', 'resolved'],
    )
    assert.equal(webhook.messages[1]?.alerts[0]?.startsAt, before[0]?.since)
    await second.close()
    writeFileSync(join(folder, 'alerts.json'), '{"version":1,"alerts":[{}]}')
    assert.deepEqual((await open()).list(), [])
  })

  it('tells again until it is taken, and shows that a receiver takes nothing', async (t) => {
    const webhook = await openWebhook(t)
    webhook.status = 500
    const { open, hold } = bed(t, `{ people: { webhook: { url: '${webhook.url}' } } }`)
    const alerts = await open()
    hold('in', 12)
    await until('it is an alert', () => states(alerts).includes('receiver_failing people pending'))
    const summary = alerts.list().find(({ rule }) => rule === 'receiver_failing')?.summary
    assert.equal(summary, `people: ${new URL(webhook.url).origin} answered 500`)
    const attempts = webhook.messages.length
    webhook.status = 200
    await until('it is taken', () => webhook.messages.length > attempts)
    assert.equal(new Set(webhook.messages.map(({ alerts: [one] }) => one?.startsAt)).size, 1)
  })

  it('is an alert itself when rules cannot be looked at, and leaves theirs as they are', async (t) => {
    const { open, hold, series } = bed(t, '{}')
    const alerts = await open()
    hold('in', 12)
    await until('it fires', () => states(alerts)[0] === 'full in firing')
    series.failure = new Error('the store is gone')
    await until('that is told', () => states(alerts).includes('rule_failing full firing'))
    assert.ok(states(alerts).includes('full in firing'))
    const failing = alerts
      .list()
      .find(({ rule, labels }) => rule === 'rule_failing' && labels['rule'] === 'full')
    assert.equal(failing?.summary, 'full: the store is gone')
    series.failure = undefined
    await until('it is over', () => states(alerts).includes('rule_failing full resolved'))
    assert.ok(states(alerts).includes('full in firing'))
  })

  it('is an alert too when a file has mistakes', async (t) => {
    const { open } = bed(t, '{ people: { pigeon: {} } }')
    const alerts = await open()
    await until('it fires', () => states(alerts).includes('rules_refused rules.yaml firing'))
    const refused = alerts.list().find(({ rule }) => rule === 'rules_refused')
    assert.match(refused?.summary ?? '', /^rules\.yaml: \/receivers\/people\/pigeon/)
  })

  it('bounds the number of alerts, and tells what found no place', async (t) => {
    const { open, hold } = bed(t, '{}')
    for (let index = 0; index < 120; index++) hold(`q${index}`, 12)
    const alerts = await open()
    await until('it is told', () => states(alerts).includes('too_many_alerts full firing'))
    assert.equal(states(alerts).filter((one) => one.startsWith('full ')).length, 100)
    assert.match(
      alerts.list().find(({ rule }) => rule === 'too_many_alerts')?.summary ?? '',
      /^full: 20 alerts found no place$/,
    )
  })
})
