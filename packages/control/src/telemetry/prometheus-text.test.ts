import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PrometheusReader } from './prometheus-text.ts'

const scrape = { timeMs: 7, labels: { instance: 'i1' }, sinceMs: 3 }
const sample = (name: string, labels: object, type: string, value: number, timeMs = 7) => ({
  timeMs,
  name,
  labels: { ...labels, instance: 'i1' },
  type,
  value,
  sinceMs: 3,
})

const quote = (text: string): string =>
  text.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))

const readPrometheusText = (...given: Parameters<PrometheusReader['read']>) =>
  new PrometheusReader().read(...given)

describe('PrometheusReader', () => {
  it('reads counters, gauges, histograms, summaries, times and exemplars', () => {
    const text = [
      '# HELP calls_total Calls.',
      '# TYPE calls_total counter',
      'calls_total{code="ok",instance="other"} 12',
      '# TYPE size gauge',
      'size -0.5 1790000000000',
      '# TYPE took_seconds histogram',
      'took_seconds_bucket{le="0.1",} 3 # {trace_id="ab"} 0.05 1.5',
      'took_seconds_bucket{le="+Inf"} 4',
      'took_seconds_sum 1e3',
      '# TYPE rpc summary',
      'rpc{quantile="0.5"} NaN',
      'rpc_count 9',
      'untyped_total 1',
      'untyped +Inf',
      '',
      '# EOF',
    ].join('\n')
    const { samples, rejected } = readPrometheusText(text, scrape)
    assert.equal(rejected, 0)
    assert.deepEqual(samples, [
      sample('calls_total', { code: 'ok' }, 'counter', 12),
      sample('size', {}, 'gauge', -0.5, 1_790_000_000_000),
      sample('took_seconds_bucket', { le: '0.1' }, 'counter', 3),
      sample('took_seconds_bucket', { le: '+Inf' }, 'counter', 4),
      sample('took_seconds_sum', {}, 'counter', 1_000),
      sample('rpc', { quantile: '0.5' }, 'gauge', Number.NaN),
      sample('rpc_count', {}, 'counter', 9),
      sample('untyped_total', {}, 'counter', 1),
      sample('untyped', {}, 'gauge', Number.POSITIVE_INFINITY),
    ])
  })

  it('gives back any label value as it was', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (text, value) => {
          const { samples } = readPrometheusText(`x{a="${quote(text)}",b="2"} ${value}`, scrape)
          assert.equal(samples[0]?.labels['a'], text)
          assert.equal(samples[0]?.labels['b'], '2')
          // -0 is written as 0.
          assert.equal(samples[0]?.value, value + 0)
        },
      ),
    )
  })

  it('reads again what it has read as if for the first time', () => {
    const anyHead = fc.constantFrom(
      'x',
      'x{a="b"}',
      'x{a="b c"}',
      'y_total',
      'y_total{}',
      'z{a="b"} 3 # {t="1"}',
    )
    const anyRest = fc.constantFrom('1', '2.5', '+Inf', '7 1790000000000', '3 # {t="1"} 0.5', 'none', '')
    const anyText = fc
      .array(fc.tuple(anyHead, anyRest), { maxLength: 8 })
      .map((lines) => ['# TYPE x counter', ...lines.map((line) => line.join(' '))].join('\n'))
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 5 }), (texts) => {
        const reader = new PrometheusReader()
        for (const [timeMs, text] of texts.entries())
          assert.deepEqual(
            reader.read(text, { ...scrape, timeMs }),
            readPrometheusText(text, { ...scrape, timeMs }),
          )
      }),
    )
    const reader = new PrometheusReader()
    const labelsOf = (text: string) => reader.read(text, scrape).samples[0]?.labels
    assert.equal(labelsOf('x{a="b"} 1'), labelsOf('x{a="b"} 2'))
  })

  it('counts lines that are none, and goes on', () => {
    const wrong = ['{a="b"} 1', 'x{a=b} 1', 'x{a="b" 1', 'x', 'x one', 'x{a="b"}', 'x 1 2 3']
    const { samples, rejected } = readPrometheusText([...wrong, 'right 1'].join('\n'), scrape)
    assert.equal(rejected, wrong.length)
    assert.deepEqual(
      samples.map(({ name }) => name),
      ['right'],
    )
  })
})
