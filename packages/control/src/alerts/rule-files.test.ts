import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { createLogger } from '@flotilla/core/log'
import { until } from '@flotilla/core/until'
import { defaultObjectives, defaultRules } from './default-rules.ts'
import { RuleFiles } from './rule-files.ts'
import { mistakesInObjectives, mistakesInRules } from './rule-spec.ts'

async function follow(t: TestContext, texts: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-rules-'))
  const paths = texts.map((_, index) => join(folder, `${index}.yaml`))
  const write = (index: number, text: string): void => {
    writeFileSync(`${paths[index]}.new`, text)
    renameSync(`${paths[index]}.new`, paths[index] ?? '')
  }
  texts.forEach((text, index) => {
    write(index, text)
  })
  const log = createLogger({ level: 'silent', clock: systemClock, fields: {} })
  const files = new RuleFiles({ paths, clock: systemClock, log, keptMs: 86_400_000 })
  t.after(async () => {
    await files.close()
    rmSync(folder, { recursive: true })
  })
  await files.open()
  const names = (): string[] => files.rules.map(({ name }) => name)
  const mistakes = (): string[] => files.refused.map(({ labels, why }) => `${labels['file']}: ${why}`)
  return { files, write, names, mistakes }
}

const tooMany = `
rules:
  too_many:
    severity: info
    summary: '{value} orders'
    of: { metric: orders }
    above: 3
`

describe('RuleFiles', () => {
  it('has rules inside without any file, all of them without a mistake', async (t) => {
    const { names } = await follow(t, [])
    const objectives = Object.keys(defaultObjectives)
    const burns = ['1h', '6h', '1d'].flatMap((window) => objectives.map((one) => `${one}_burn_${window}`))
    assert.deepEqual(names().toSorted(), [...Object.keys(defaultRules), ...burns].toSorted())
    assert.deepEqual([...mistakesInRules(defaultRules), ...mistakesInObjectives(defaultObjectives)], [])
  })

  it('takes the example of the documentation', async (t) => {
    // Built, this file lies in packages/control/dist/alerts.
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/alerts.md'), 'utf8')
    const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? []
    const { names, mistakes, files } = await follow(t, [example])
    assert.deepEqual(mistakes(), [])
    assert.ok(names().includes('slow_search') && names().includes('orders_burn_1h'))
    assert.deepEqual(Object.keys(files.receivers), ['people'])
  })

  it('lets the later file replace and switch off what was said before', async (t) => {
    const { files, names } = await follow(t, [
      tooMany,
      `off: [slow_requests, availability]\nrules: { too_many: { severity: critical, summary: s, of: { metric: orders, as: rate }, above: 9, for: 2m } }`,
    ])
    assert.ok(!names().includes('slow_requests'))
    assert.ok(!names().includes('availability_burn_1h'))
    assert.ok(names().includes('speed_burn_1h'))
    const rule = files.rules.find(({ name }) => name === 'too_many')
    assert.deepEqual([rule?.severity, rule?.forMs], ['critical', 120_000])
  })

  it('follows a change, and keeps what held when there is a mistake, which it names', async (t) => {
    const { write, names, mistakes, files } = await follow(t, [tooMany])
    const rules = files.rules
    write(0, `${tooMany}    over: 5 minutes\n    blow: 3\n`)
    await until('it is refused', () => mistakes().length > 0)
    assert.match(mistakes()[0] ?? '', /^0\.yaml: \/rules\/too_many\/\w+: .* \(and 1 more\)$/)
    assert.equal(files.rules, rules)
    write(0, tooMany.replace('too_many', 'even_more'))
    await until('it holds', () => names().includes('even_more'))
    assert.ok(!names().includes('too_many'))
    assert.deepEqual(mistakes(), [])
    write(0, '')
    await until('nothing is said', () => !names().includes('even_more'))
  })

  it('names every mistake by its path', async (t) => {
    const rule = 'severity: info, summary: s'
    for (const [text, expected] of [
      [`rules: { a: { ${rule}, of: { metric: m } } }`, '/rules/a: needs either above or below'],
      [`rules: { a: { ${rule}, above: 1 } }`, '/rules/a: needs either of or absent'],
      [
        `rules: { a: { ${rule}, absent: { metric: m }, above: 1 } }`,
        '/rules/a/above: means nothing beside absent',
      ],
      [
        `rules: { a: { ${rule}, of: { metric: m }, above: 1, minRate: 1 } }`,
        '/rules/a/minRate: needs a rate to divide by, or a quantile, to go by',
      ],
      [
        `rules: { a: { ${rule}, of: { metric: m, quantile: 0.5 }, above: 1 } }`,
        '/rules/a/of/quantile: means nothing unless as is quantile',
      ],
      [
        `rules: { rule_failing: { ${rule}, of: { metric: m }, above: 1 } }`,
        '/rules/rule_failing: is the name of an alert about alerting itself',
      ],
      [`rules: { 'A b': { ${rule}, of: { metric: m }, above: 1 } }`, '/rules/A b: is not a known field'],
      [
        `objectives: { a: { summary: s, objective: 0.9, total: { metric: m } } }`,
        '/objectives/a: needs either good or bad',
      ],
      [
        `objectives: { a: { summary: s, objective: 1, bad: { metric: m }, total: { metric: m } } }`,
        '/objectives/a/objective: must be < 1',
      ],
      [
        `receivers: { a: { webhook: { url: 'ftp://x' } } }`,
        '/receivers/a/webhook/url: must match pattern "^https?://[^\\s]+$"',
      ],
      [`alerts: {}`, '/alerts: is not known; there are rules, objectives, off, receivers'],
    ] as const) {
      const { mistakes } = await follow(t, [text])
      assert.deepEqual(mistakes(), [`0.yaml: ${expected}`])
    }
  })
})
