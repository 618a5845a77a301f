import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type PrometheusRules, prometheusRules } from '@flotilla/control/prometheus-rules'
import { readPolicies } from '@flotilla/core/policy-check'
import { parse, stringify } from 'yaml'
import { dashboardQueries, dashboards, type Panel, type Query } from './dashboards.ts'
import { registeredMetrics } from './registered-metrics.ts'

/** Built, this file lies in tests/dist/deploy. */
const ROOT = join(import.meta.dirname, '../../..')
const RULES_PATH = join(ROOT, 'deploy/prometheus/rules.yml')
/** What a Prometheus keeps by default. */
const KEPT_MS = 15 * 86_400_000
/** What whoever gathers adds to everything. */
const GATHERED = ['instance', 'process', 'host', 'job']

/**
 * Metrics and labels that are shown before anything in here registers them, until something does: then they are to go from this list.
 */
const ANNOUNCED: Readonly<Record<string, readonly string[]>> = {}

function ruleQueries(): Query[] {
  const { groups } = parse(readFileSync(RULES_PATH, 'utf8')) as PrometheusRules
  return groups.flatMap(({ rules }) =>
    rules.map(({ alert, expr, annotations }) => ({
      where: `rules.yml: ${alert}`,
      expr,
      labels: Object.values(annotations).flatMap((text) =>
        [...text.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label),
      ),
    })),
  )
}

const metricsIn = (expr: string): string[] => [
  ...new Set(expr.replace(/"[^"]*"/g, '').match(/\b(?:flotilla|shop|nodejs)_\w+/g) ?? []),
]

function labelsIn(expr: string): string[] {
  const matched = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside = '']) => [
    ...inside.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g),
  ])
  const grouped = [...expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list = '']) => [
    ...list.matchAll(/(\w+)/g),
  ])
  return [...matched, ...grouped].map(([, label = '']) => label)
}

describe('deploy/prometheus/rules.yml', () => {
  it('is the rules that are inside, and those of the shop', async () => {
    const read = await readPolicies(join(ROOT, 'apps/shop/alerts.yaml'))
    assert.ok('policies' in read, JSON.stringify(read))
    const rules = prometheusRules(read.policies, KEPT_MS)
    const head =
      '# Made of the rules that are inside and of apps/shop/alerts.yaml: FLOTILLA_UPDATE=1 npm test -- deploy\n'
    const text = head + stringify(rules, { lineWidth: 0 })
    if (process.env['FLOTILLA_UPDATE'] === '1') writeFileSync(RULES_PATH, text)
    assert.equal(readFileSync(RULES_PATH, 'utf8'), text)
  })
})

describe('what deploy/ asks for', () => {
  it('is there: every metric, and every label', () => {
    const registered = registeredMetrics(ROOT)
    const wrong = [...dashboardQueries(), ...ruleQueries()].flatMap(({ where, expr, labels }) => {
      const metrics = metricsIn(expr)
      const known = new Set([
        ...GATHERED,
        ...metrics.flatMap((name) => [...(registered.get(name) ?? []), ...(ANNOUNCED[name] ?? [])]),
      ])
      const noMetrics = metrics.filter((name) => !registered.has(name) && ANNOUNCED[name] === undefined)
      const noLabels = [...labels, ...labelsIn(expr)].filter((label) => !known.has(label) && label !== 'le')
      return [...noMetrics, ...noLabels].map((name) => `${where}: there is no ${name}`)
    })
    assert.deepEqual(wrong, [])
  })

  it('is there, too, where the documentation tells of it', () => {
    const registered = registeredMetrics(ROOT)
    const text = readFileSync(join(ROOT, 'docs/telemetry.md'), 'utf8')
    const named = [...text.matchAll(/`((?:flotilla|shop)_\w+)`/g)].map(([, name = '']) => name)
    assert.ok(named.length > 10)
    assert.deepEqual(
      named.filter((name) => !registered.has(name) && !registered.has(`${name}_count`)),
      [],
    )
  })

  it('has been announced only while nothing registers it', () => {
    const registered = registeredMetrics(ROOT)
    const outlived = Object.entries(ANNOUNCED).filter(
      ([name, labels]) => labels.every((label) => registered.get(name)?.has(label)) && registered.has(name),
    )
    assert.deepEqual(outlived, [])
  })
})

describe('deploy/grafana', () => {
  it('has four dashboards that any Grafana can import', () => {
    assert.deepEqual(
      dashboards.map(([name]) => name),
      ['business.json', 'infrastructure.json', 'overall.json', 'service.json'],
    )
    assert.equal(new Set(dashboards.map(([, { uid }]) => uid)).size, 4)
    for (const [name, { panels, templating }] of dashboards) {
      assert.deepEqual([templating.list[0]?.name, templating.list[0]?.type], ['datasource', 'datasource'])
      assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length, name)
      for (const { type, title, datasource, targets = [] } of panels) {
        if (type === 'row') continue
        assert.equal(datasource?.uid, `$\{datasource}`, `${name}: ${title}`)
        assert.ok(targets.length > 0, `${name}: ${title}`)
      }
      for (const [index, one] of panels.entries())
        for (const other of panels.slice(index + 1)) assert.ok(!overlap(one, other), `${name}: ${one.title}`)
    }
  })
})

function overlap({ gridPos: one }: Panel, { gridPos: other }: Panel): boolean {
  const isBeside = one.x + one.w <= other.x || other.x + other.w <= one.x
  const isBelow = one.y + one.h <= other.y || other.y + other.h <= one.y
  return !(isBeside || isBelow)
}

/** Runs promtool on files of which the last is written first; skips where there is none. */
function promtool(
  t: TestContext,
  args: readonly string[],
  files: Readonly<Record<string, string>> = {},
): void {
  if (spawnSync('promtool', ['--version']).error !== undefined) {
    t.skip('promtool is not installed (Debian: prometheus)')
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-promtool-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' })
  assert.equal(status, 0, `${stdout}${stderr}`)
}

describe('promtool', () => {
  it('finds nothing wrong with the configuration and its rules', (t) => {
    promtool(t, ['check', 'config', join(ROOT, 'deploy/prometheus/prometheus.yml')])
  })

  it('finds nothing wrong with what the dashboards ask', (t) => {
    const rules = dashboardQueries().map(({ expr }, index) => ({
      record: `it:${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$service', 'orders'),
    }))
    promtool(t, ['check', 'rules', 'it.yml'], { 'it.yml': stringify({ groups: [{ name: 'it', rules }] }) })
  })

  it('sees alerts fire for the same as ours', (t) => {
    const requests = (operation: string, status: string, by: number) => ({
      series: `flotilla_gateway_requests_total{operation="${operation}",status="${status}",instance="a"}`,
      values: `0+${by}x60`,
    })
    const alertsAt = (alertname: string, alerts: readonly Record<string, string>[]) => ({
      eval_time: '12m',
      alertname,
      exp_alerts: alerts.map((exp_labels) => ({ exp_labels })),
    })
    const tests = [
      {
        interval: '15s',
        input_series: [
          requests('a.bad', '500', 1),
          requests('a.bad', '200', 9),
          requests('a.fine', '200', 10),
          { series: 'flotilla_sagas{saga="checkout",status="parked",process="a"}', values: '2x60' },
          { series: 'flotilla_machine_memory_bytes{kind="total"}', values: '100x60' },
          { series: 'flotilla_machine_memory_bytes{kind="available"}', values: '20x60' },
        ],
        alert_rule_test: [
          alertsAt('failing_requests', [{ operation: 'a.bad', severity: 'critical' }]),
          alertsAt('availability_burn_1h', [{ objective: 'availability', severity: 'critical' }]),
          alertsAt('parked_sagas', [{ saga: 'checkout', severity: 'critical' }]),
          alertsAt('nothing_heard', [{ severity: 'critical', job: 'flotilla' }]),
          alertsAt('little_memory', []),
        ],
      },
    ]
    // Summaries are compared as well unless no annotations are there.
    const { groups } = parse(readFileSync(RULES_PATH, 'utf8')) as PrometheusRules
    const rules = groups.map((group) => ({
      ...group,
      rules: group.rules.map(({ annotations: _, ...rule }) => rule),
    }))
    promtool(t, ['test', 'rules', 'test.yml'], {
      'rules.yml': stringify({ groups: rules }),
      'test.yml': stringify({ rule_files: ['rules.yml'], evaluation_interval: '15s', tests }),
    })
  })
})
