import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ObservableResult } from '@opentelemetry/api'
import { systemRandom } from '../kernel/random.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import { Metrics } from './metrics.ts'
import { WorkMeter } from './otel-meter.ts'
import { SpanRing } from './spans.ts'

describe('WorkMeter', () => {
  it('shows every kind of instrument, with the labels of its first measurement', () => {
    const metrics = new Metrics()
    const spans = new SpanRing({ sizeMax: 1 }).of('app')
    const ports = { clock: new VirtualClock(), random: systemRandom }
    const meter = new WorkMeter(() => ({ service: 'app', spans, metrics, ports }))
    const counter = meter.createCounter('a.b-c')
    counter.add(2, { 'x.y': 1 })
    counter.add(3, { 'x.y': 1, later: 'left out' })
    counter.add(-1, { 'x.y': 1 })
    counter.add(1)
    const level = meter.createUpDownCounter('level')
    level.add(5)
    level.add(-2)
    meter.createGauge('now').record(4)
    const pots = meter.createObservableGauge('pots')
    const look = (result: ObservableResult): void => result.observe(7, { kind: 'big' })
    pots.addCallback(look)
    meter.observe()
    meter.createObservableCounter('turns').addCallback((result) => result.observe(9))
    meter.observe()
    pots.removeCallback(look)
    pots.addCallback((result) => result.observe(8, { kind: 'big' }))
    meter.observe()
    const lines = metrics.toPrometheus().split('\n')
    assert.deepEqual(
      lines.filter((line) => line !== '' && !line.startsWith('#')),
      [
        'a_b_c_total{service="app",x_y="1"} 5',
        'a_b_c_total{service="app",x_y=""} 1',
        'turns_total{service="app"} 9',
        'level{service="app"} 3',
        'now{service="app"} 4',
        'pots{service="app",kind="big"} 8',
      ],
    )
  })
})
