import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { defaultObjectives, defaultRules } from '../alerts/default-rules.ts'
import { judge } from '../alerts/judge.ts'
import { rulesOfObjective } from '../alerts/objective.ts'
import { ruleOf } from '../alerts/rule-spec.ts'
import type { AskSeries } from '../alerts/series-question.ts'
import type { StoredSample } from '../telemetry/rows.ts'
import { openTelemetryStore } from '../telemetry/telemetry-store.ts'

/** Ten minutes of a system with one operation of which a tenth fails, and a tenth is slow. */
function samples(nowMs: number): StoredSample[] {
  const all: StoredSample[] = []
  for (let index = 0; index < 120; index++) {
    const timeMs = nowMs - 600_000 + index * 5_000
    const add = (
      type: StoredSample['type'],
      name: string,
      labels: Record<string, string>,
      value: number,
    ): void => {
      all.push({ timeMs, name, labels, type, value })
    }
    const operation = 'a.bad'
    const gateway = 'flotilla_gateway_duration_seconds'
    for (const [status, share] of [
      ['500', 0.1],
      ['200', 0.9],
    ] as const)
      add('counter', 'flotilla_gateway_requests_total', { operation, status }, index * 10 * share)
    for (const [le, share] of [
      ['0.524288', 0.5],
      ['1.048576', 0.9],
      ['2.097152', 1],
      ['+Inf', 1],
    ] as const)
      add('counter', `${gateway}_bucket`, { operation, le }, index * 10 * share)
    add('counter', `${gateway}_count`, { operation }, index * 10)
    for (const instance of ['a', 'b'])
      add('gauge', 'flotilla_sagas', { saga: 'checkout', status: 'parked', instance }, 2)
    for (const [kind, value] of [
      ['total', 100],
      ['available', 10],
    ] as const)
      add('gauge', 'flotilla_machine_memory_bytes', { kind }, value)
    add('gauge', 'flotilla_process_up', { host: 'catalog', process: 'catalog-1', instance: 'a' }, 0)
  }
  return all
}

describe('the rules that are inside', () => {
  it('find in the telemetry store what is wrong, and nothing else', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-alerts-'))
    const store = await openTelemetryStore({ folder, clock: systemClock, log: { warn: () => {} } })
    t.after(async () => {
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    })
    const nowMs = systemClock.now()
    store.appendSamples(samples(nowMs))
    await store.flush()
    const ask: AskSeries = (question) => store.series(question)
    const found: Record<string, [Readonly<Record<string, string>>, number][]> = {}
    const rules = [
      ...Object.entries(defaultRules).map(([name, spec]) => ruleOf(name, spec)),
      ...Object.entries(defaultObjectives).flatMap(([name, spec]) =>
        rulesOfObjective(name, spec, 86_400_000),
      ),
    ]
    for (const rule of rules) {
      const { findings } = await judge(rule, ask, nowMs)
      if (findings.length === 0) continue
      found[rule.name] = findings.map(({ labels, value }) => [labels, Number(value.toPrecision(3))])
    }
    const [availability, speed] = [{ objective: 'availability' }, { objective: 'speed' }]
    assert.deepEqual(found, {
      slow_requests: [[{ operation: 'a.bad' }, 1.99]],
      failing_requests: [[{ operation: 'a.bad' }, 0.1]],
      parked_sagas: [[{ saga: 'checkout' }, 2]],
      no_instance: [[{ host: 'catalog' }, 0]],
      little_memory: [[{}, 0.1]],
      availability_burn_1h: [[availability, 0.1]],
      availability_burn_6h: [[availability, 0.1]],
      speed_burn_6h: [[speed, 0.1]],
    })
  })
})
