import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type BatchObservableCallback,
  diag,
  type Observable,
  type ObservableResult,
} from '@opentelemetry/api'
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

  /** A meter, and the lines of its metrics. */
  function makeMeter() {
    const metrics = new Metrics()
    const spans = new SpanRing({ sizeMax: 1 }).of('app')
    const ports = { clock: new VirtualClock(), random: systemRandom }
    const meter = new WorkMeter(() => ({ service: 'app', spans, metrics, ports }))
    const lines = (): readonly string[] =>
      metrics
        .toPrometheus()
        .split('\n')
        .filter((line) => line !== '')
    return { meter, lines, values: () => lines().filter((line) => !line.startsWith('#')) }
  }

  it('writes nothing that Prometheus could not read, whatever it is given', () => {
    const { meter, lines, values } = makeMeter()
    const named = meter.createGauge('5xx rate', { description: 'a\nb\\c' })
    named.record(1, { service: 'theirs', 'a.b': 1, a_b: 2, '5xx': true, __name__: 'x', le: 3, '': 'none' })
    assert.deepEqual(lines(), [
      '# HELP _5xx_rate a\\nb\\\\c',
      '# TYPE _5xx_rate gauge',
      '_5xx_rate{service="app",attribute_service="theirs",a_b="2",attribute_5xx="true",attribute___name__="x",attribute_le="3",attribute_="none"} 1',
    ])
    const strange = [Number.NaN, Number.POSITIVE_INFINITY, undefined, null, '7', 1n] as unknown as number[]
    const long = { key: 'x'.repeat(1_000), odd: Object.create(null) }
    for (const value of strange) {
      named.record(value)
      meter.createCounter('counted').add(value)
      meter.createUpDownCounter('level').add(value)
      meter.createHistogram('sizes').record(value)
    }
    meter.createHistogram('sizes').record(-1)
    assert.equal(values().length, 1)
    meter.createCounter('counted').add(1, long)
    assert.equal(values()[0], `counted_total{service="app",key="${'x'.repeat(256)}",odd=""} 1`)
  })

  it('asks a callback about several instruments at once, for those that it was added for', () => {
    const { meter, values } = makeMeter()
    const [heap, lag, other] = ['heap', 'lag', 'other'].map((name) => meter.createObservableGauge(name)) as [
      Observable,
      Observable,
      Observable,
    ]
    let times = 0
    const look: BatchObservableCallback = (result) => {
      times++
      result.observe(heap, 10 * times, { kind: 'old' })
      result.observe(lag, times)
      result.observe(other, times)
    }
    meter.addBatchObservableCallback(look, [heap, lag])
    meter.addBatchObservableCallback(look, [lag, heap])
    meter.observe()
    assert.deepEqual(values(), ['heap{service="app",kind="old"} 10', 'lag{service="app"} 1'])
    meter.removeBatchObservableCallback(look, [heap])
    meter.observe()
    meter.removeBatchObservableCallback(look, [heap, lag])
    meter.observe()
    assert.equal(times, 2)
  })

  it('goes on when a callback fails, at once or later, and asks none that still answers', async () => {
    const { meter, values } = makeMeter()
    const told: unknown[] = []
    const nobody = (): void => {}
    diag.setLogger({
      error: (_, error) => told.push(error),
      warn: nobody,
      info: nobody,
      debug: nobody,
      verbose: nobody,
    })
    const gauge = meter.createObservableGauge('pots')
    let asked = 0
    let answer = (): void => {}
    gauge.addCallback(() => {
      throw new Error('at once')
    })
    gauge.addCallback(async () => {
      throw new Error('later')
    })
    gauge.addCallback(async (result) => {
      asked++
      await new Promise<void>((resolve) => {
        answer = resolve
      })
      result.observe(asked)
    })
    meter.observe()
    meter.observe()
    await new Promise(setImmediate)
    assert.deepEqual([asked, values()], [1, []])
    answer()
    await new Promise(setImmediate)
    meter.observe()
    assert.deepEqual([asked, values()], [2, ['pots{service="app"} 1']])
    answer()
    diag.disable()
    assert.ok(told.some((error) => (error as Error).message === 'at once'))
    assert.ok(told.some((error) => (error as Error).message === 'later'))
  })
})
