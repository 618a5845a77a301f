import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { judge } from './judge.ts'
import { rulesOfObjective } from './objective.ts'
import { type RuleSpec, ruleOf } from './rule-spec.ts'
import { WrittenSeries } from './written-series.test.ts'

const NOW_MS = 1_700_000_000_000

/** What a rule finds in what was written. */
async function findingsOf(spec: Omit<RuleSpec, 'severity' | 'summary'>, series: WrittenSeries) {
  const rule = ruleOf('it', { severity: 'warning', summary: '{service}: {value} of {limit}', ...spec })
  return (await judge(rule, series.ask, NOW_MS)).findings
}

/** Counters that grew by so much within the last five minutes. */
function counted(series: WrittenSeries, name: string, labels: Record<string, string>, by: number): void {
  series.write(name, labels, NOW_MS - 300_001, 1_000)
  series.write(name, labels, NOW_MS - 1_000, 1_000 + by)
}

describe('judge', () => {
  it('compares values of the last minute, and tells them apart by labels', async () => {
    const series = new WrittenSeries()
    series.write('lag', { group: 'old' }, NOW_MS - 60_001, 9)
    series.write('lag', { group: 'a', instance: '1' }, NOW_MS - 5, 7)
    series.write('lag', { group: 'a', instance: '2' }, NOW_MS - 5, 8)
    series.write('lag', { group: 'b' }, NOW_MS - 5, 5)
    series.write('lag', {}, NOW_MS - 5, 6)
    const found = await findingsOf({ of: { metric: 'lag', merge: 'max' }, by: ['group'], above: 5 }, series)
    assert.deepEqual(
      found.map(({ labels, value }) => [labels, value]),
      [
        [{ group: 'a' }, 8],
        [{}, 6],
      ],
    )
    assert.deepEqual(await findingsOf({ of: { metric: 'lag' }, below: 26 }, series), [])
    assert.equal((await findingsOf({ of: { metric: 'lag' }, below: 27 }, series)).length, 1)
  })

  it('makes a rate by the seconds of the window', async () => {
    const series = new WrittenSeries()
    counted(series, 'calls', { code: 'ok' }, 600)
    counted(series, 'calls', { code: 'bad' }, 300)
    const spec = { of: { metric: 'calls', as: 'rate' as const, not: { code: 'bad' } }, over: '5m' }
    const [found] = await findingsOf({ ...spec, above: 1.99 }, series)
    assert.ok(Math.abs((found?.value ?? 0) - 2) < 1e-9)
    assert.deepEqual(await findingsOf({ ...spec, above: 2.01 }, series), [])
  })

  it('divides by what there is enough of; a counter that is not there has counted nothing', async () => {
    const series = new WrittenSeries()
    for (const [service, all, bad] of [
      ['a', 300, 60],
      ['b', 300, 3],
      ['rare', 2, 2],
      ['fine', 300, 0],
    ] as const) {
      counted(series, 'calls', { service, code: 'ok' }, all - bad)
      if (bad > 0) counted(series, 'calls', { service, code: 'bad' }, bad)
    }
    const spec = {
      of: { metric: 'calls', where: { code: 'bad' }, as: 'rate' as const },
      per: { metric: 'calls', as: 'rate' as const },
      by: ['service'],
      minRate: 0.1,
      unit: 'share' as const,
      labels: { team: 'x' },
    }
    const found = await findingsOf({ ...spec, above: 0.05 }, series)
    assert.equal(found.length, 1)
    assert.deepEqual(found[0]?.labels, { service: 'a', team: 'x' })
    assert.equal(found[0]?.summary, 'a: 20 % of 5 %')
    const low = await findingsOf({ ...spec, below: 0.005 }, series)
    assert.deepEqual(
      low.map(({ labels }) => labels['service']),
      ['fine'],
    )
  })

  it('does not divide values of which one is not known', async () => {
    const series = new WrittenSeries()
    series.write('memory', { kind: 'total' }, NOW_MS - 5, 100)
    const spec = {
      of: { metric: 'memory', where: { kind: 'available' } },
      per: { metric: 'memory', where: { kind: 'total' } },
      below: 0.15,
    }
    assert.deepEqual(await findingsOf(spec, series), [])
    series.write('memory', { kind: 'available' }, NOW_MS - 5, 10)
    assert.equal((await findingsOf(spec, series))[0]?.value, 0.1)
  })

  it('takes quantiles and their difference, of enough observations only', async () => {
    const series = new WrittenSeries()
    for (const [name, slow] of [
      ['ours', 0.8],
      ['theirs', 0.2],
    ] as const) {
      counted(series, `${name}_bucket`, { le: String(slow) }, 60)
      counted(series, `${name}_bucket`, { le: '+Inf' }, 60)
      counted(series, `${name}_count`, {}, 60)
    }
    const quantile = (metric: string) => ({ metric, as: 'quantile' as const, quantile: 0.95 })
    const spec = { of: quantile('ours'), minus: quantile('theirs'), unit: 'seconds' as const }
    const [found] = await findingsOf({ ...spec, above: 0.5, minRate: 0.19 }, series)
    assert.ok(Math.abs((found?.value ?? 0) - 0.6) < 1e-9)
    assert.equal(found?.summary, '{service}: 600 ms of 500 ms')
    assert.deepEqual(await findingsOf({ ...spec, above: 0.5, minRate: 0.21 }, series), [])
    const without = { ...spec, minus: quantile('nobody'), above: 0 }
    assert.deepEqual(await findingsOf(without, series), [])
  })

  it('sees that nothing is there', async () => {
    const series = new WrittenSeries()
    const spec = { absent: { metric: 'up' }, over: '1m' }
    assert.equal((await findingsOf(spec, series)).length, 1)
    series.write('up', {}, NOW_MS - 1, 0)
    assert.deepEqual(await findingsOf(spec, series), [])
  })
})

describe('rulesOfObjective', () => {
  const spec = {
    summary: 'Requests fail',
    objective: 0.999,
    bad: { metric: 'requests', where: { status: '500' } },
    total: { metric: 'requests' },
  }
  const DAY_MS = 86_400_000

  it('is the four burn rates of the workbook', () => {
    const rules = rulesOfObjective('fine', spec, 30 * DAY_MS)
    const seen = rules.map(({ name, severity, conditions: [short, long] }) => {
      const limit = short.is === 'absent' ? 0 : short.limit
      return [
        name,
        severity,
        Number(limit.toFixed(6)),
        short.windowMs / 60_000,
        (long?.windowMs ?? 0) / 60_000,
      ]
    })
    assert.deepEqual(seen, [
      ['fine_burn_1h', 'critical', 0.0144, 5, 60],
      ['fine_burn_6h', 'critical', 0.006, 30, 360],
      ['fine_burn_1d', 'warning', 0.003, 120, 1_440],
      ['fine_burn_3d', 'warning', 0.001, 360, 4_320],
    ])
  })

  it('asks for nothing that is not kept, and for no burn of more than everything', () => {
    const short = rulesOfObjective('fine', spec, 12 * 3_600_000)
    assert.deepEqual(
      short.map(({ name, conditions }) => [name, (conditions[1]?.windowMs ?? 0) / 3_600_000]),
      [
        ['fine_burn_1h', 1],
        ['fine_burn_6h', 6],
        ['fine_burn_1d', 12],
      ],
    )
    const coarse = rulesOfObjective('coarse', { ...spec, objective: 0.9 }, 30 * DAY_MS)
    assert.deepEqual(
      coarse.map(({ name }) => name),
      ['coarse_burn_6h', 'coarse_burn_1d', 'coarse_burn_3d'],
    )
  })

  it('holds while both windows burn, and asks for the long one only then', async () => {
    const [rule] = rulesOfObjective('fine', spec, DAY_MS)
    const holds = async (short: number, long: number): Promise<[boolean, number]> => {
      const series = new WrittenSeries()
      for (const [status, share] of [
        ['500', 1],
        ['200', 0],
      ] as const) {
        series.write('requests', { status }, NOW_MS - 4_000_000, 0)
        const bad = (part: number): number => (share === 1 ? part : 1 - part)
        series.write('requests', { status }, NOW_MS - 3_000_000, 10_000 * bad(long))
        series.write('requests', { status }, NOW_MS - 1_000, 10_000 * bad(long) + 1_000 * bad(short))
      }
      const { findings } = await judge(rule ?? assert.fail(), series.ask, NOW_MS)
      return [findings.length > 0, series.questions.length]
    }
    assert.deepEqual(await holds(0.02, 0.02), [true, 4])
    assert.deepEqual(await holds(0.02, 0), [false, 4])
    assert.deepEqual(await holds(0.01, 0.5), [false, 2])
  })

  it('takes the good instead of the bad', async () => {
    const { bad: _, ...rest } = spec
    const [rule] = rulesOfObjective('fine', { ...rest, good: { metric: 'good' } }, DAY_MS)
    const series = new WrittenSeries()
    counted(series, 'requests', {}, 100)
    const { findings } = await judge(rule ?? assert.fail(), series.ask, NOW_MS)
    assert.equal(findings[0]?.value, 1)
  })
})
