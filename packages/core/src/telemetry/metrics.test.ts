import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Histogram, Metrics } from './metrics.ts'

const anyDurationMs = fc.oneof(
  fc.double({ min: 0, max: 70_000, noNaN: true }),
  fc.nat(2_000_000).map((us) => us / 1_000),
)
const anyDurations = fc.array(anyDurationMs, { minLength: 1, maxLength: 200, size: 'max' })

function histogramOf(durations: readonly number[]): Histogram {
  const histogram = new Histogram()
  for (const durationMs of durations) histogram.observe(durationMs)
  return histogram
}

describe('Histogram', () => {
  it('Histogram.quantileMs is at least the true quantile and at most 12.5 % (or a microsecond) more', () => {
    fc.assert(
      fc.property(anyDurations, fc.double({ min: 0, max: 1, noNaN: true }), (durations, share) => {
        const sorted = durations.toSorted((a, b) => a - b)
        const rank = Math.max(1, Math.ceil(sorted.length * share))
        const truth = sorted[rank - 1] as number
        const answer = histogramOf(durations).quantileMs(share)
        assert.ok(answer >= truth - 1e-9, `${answer} is below ${truth}`)
        assert.ok(answer <= truth * 1.125 + 0.001 + 1e-9, `${answer} is far above ${truth}`)
      }),
    )
  })

  it('Histogram.quantileMs of nothing is 0', () => {
    assert.equal(new Histogram().quantileMs(0.99), 0)
  })

  it('Histogram.countsUpTo counts exactly, bounds included', () => {
    fc.assert(
      fc.property(anyDurations, fc.integer({ min: 3, max: 27 }), (durations, exponent) => {
        const boundUs = 2 ** exponent
        const samples = [...durations, boundUs / 1_000]
        const truth = samples.filter((durationMs) => durationMs * 1_000 <= boundUs).length
        assert.deepEqual(histogramOf(samples).countsUpTo([4, boundUs]).at(-1), truth)
      }),
    )
  })

  it('Histogram adds up: counts and sums of two are those of one that saw everything', () => {
    fc.assert(
      fc.property(anyDurations, anyDurations, fc.integer({ min: 3, max: 27 }), (here, there, exponent) => {
        const [one, other, both] = [histogramOf(here), histogramOf(there), histogramOf([...here, ...there])]
        assert.equal(one.count + other.count, both.count)
        assert.ok(Math.abs(one.sumMs + other.sumMs - both.sumMs) < 1e-6)
        const boundUs = 2 ** exponent
        const [here1, there1, all] = [one, other, both].map((its) => its.countsUpTo([boundUs])[0] ?? 0)
        assert.equal((here1 ?? 0) + (there1 ?? 0), all)
      }),
    )
  })

  it('Histogram puts what is longer than 36 minutes with the longest, and what is negative with the shortest', () => {
    const histogram = histogramOf([-1, 1e12])
    assert.equal(histogram.count, 2)
    assert.ok(histogram.quantileMs(0.5) <= 0.001)
    assert.ok(histogram.quantileMs(1) >= 2 ** 31 / 1_000)
  })
})

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Reads the text format strictly: every line is a HELP, a TYPE or a sample of the family above it. */
function parsePrometheus(text: string): Sample[] {
  assert.ok(text.endsWith('\n'))
  const samples: Sample[] = []
  let family = ''
  for (const line of text.split('\n').slice(0, -1)) {
    const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) /.exec(line)
    const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$/.exec(line)
    if (help) family = help[1] as string
    else if (type) assert.equal(type[1], family)
    else {
      const [, name = '', labels = '', number] =
        /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
      const value = Number(number)
      assert.ok(name.startsWith(family) && !Number.isNaN(value), line)
      samples.push({ name, labels: parseLabels(labels), value })
    }
  }
  return samples
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  const pair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y
  while (pair.lastIndex < text.length) {
    const match = pair.exec(text)
    assert.ok(match, `labels ${text}`)
    labels[match[1] as string] = (match[2] as string).replace(/\\(.)/g, (_, char) =>
      char === 'n' ? '\n' : char,
    )
  }
  return labels
}

describe('Metrics', () => {
  it('Metrics.toPrometheus is read back: every cell, its labels and its value', () => {
    const anyValues = fc.uniqueArray(fc.tuple(fc.string(), fc.constantFrom('a"b', 'a\\b', 'a\nb', 'plain')), {
      selector: (pair) => pair.join('\u0000'),
    })
    fc.assert(
      fc.property(anyValues, fc.nat(), (labelSets, value) => {
        const metrics = new Metrics()
        const calls = metrics.counter('calls_total', 'Calls.', ['operation', 'code'])
        const load = metrics.gauge('load_ratio', 'Load.')
        for (const [index, values] of labelSets.entries()) calls.with(...values).add(index)
        load.with().set(value / 3)
        const samples = parsePrometheus(metrics.toPrometheus())
        assert.deepEqual(samples, [
          ...labelSets.map(([operation, code], index) => ({
            name: 'calls_total',
            labels: { operation, code },
            value: index,
          })),
          { name: 'load_ratio', labels: {}, value: value / 3 },
        ])
      }),
    )
  })

  it('Metrics.toPrometheus shows histograms as Prometheus wants them: cumulative, with +Inf, sum and count', () => {
    fc.assert(
      fc.property(anyDurations, (durations) => {
        const metrics = new Metrics()
        const cell = metrics.histogram('call_duration_seconds', 'Duration.', ['operation']).with('a')
        for (const durationMs of durations) cell.observe(durationMs)
        const samples = parsePrometheus(metrics.toPrometheus())
        const buckets = samples.filter(({ name }) => name === 'call_duration_seconds_bucket')
        for (const { labels, value } of buckets) {
          const boundS = labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le'])
          const truth = durations.filter((durationMs) => durationMs * 1_000 <= boundS * 1e6 + 1e-6).length
          assert.equal(value, truth, `up to ${labels['le']}`)
        }
        const [sum, count] = samples.slice(-2)
        assert.equal(buckets.at(-1)?.labels['le'], '+Inf')
        assert.deepEqual(count, {
          name: 'call_duration_seconds_count',
          labels: { operation: 'a' },
          value: durations.length,
        })
        assert.ok(Math.abs((sum?.value ?? 0) * 1_000 - durations.reduce((total, ms) => total + ms, 0)) < 1e-3)
      }),
    )
  })

  it('Metrics gives the same family for the same name, and the same cell for the same values', () => {
    const metrics = new Metrics()
    const family = metrics.counter('calls_total', 'Calls.', ['operation'])
    assert.equal(metrics.counter('calls_total', 'Calls.', ['operation']), family)
    assert.equal(family.with('a'), family.with('a'))
    assert.notEqual(family.with('a'), family.with('b'))
  })

  it('Metrics folds label sets beyond 2,000 into one, whatever the values are', () => {
    const metrics = new Metrics()
    const family = metrics.counter('calls_total', 'Calls.', ['user', 'code'])
    for (let user = 0; user < 3_000; user++)
      family.with(user % 2 === 0 ? 'other' : 'known', String(user)).add()
    const cells = [...family.cells()]
    assert.equal(cells.length, 2_001)
    assert.deepEqual(cells.at(-1)?.values, ['other', 'other'])
    assert.equal(cells.at(-1)?.cell.value, 1_000)
  })

  it('Metrics that are off keep nothing and show nothing', () => {
    const metrics = new Metrics({ isOff: true })
    const cells = [
      metrics.counter('calls_total', 'Calls.').with(),
      metrics.gauge('queue_size', 'Waiting.').with(),
    ]
    const durations = metrics.histogram('call_duration_seconds', 'Time.').with()
    for (const cell of cells) cell.add(2)
    durations.observe(3)
    metrics.onScrape(() => assert.fail('nobody is shown anything'))
    assert.deepEqual([...cells.map(({ value }) => value), durations.count], [0, 0, 0])
    assert.equal(metrics.toPrometheus().trim(), '')
  })

  it('Metrics.onScrape updates gauges just before they are shown', () => {
    const metrics = new Metrics()
    const gauge = metrics.gauge('queue_size', 'Waiting.').with()
    metrics.onScrape(() => gauge.add(2))
    metrics.toPrometheus()
    assert.deepEqual(parsePrometheus(metrics.toPrometheus()), [{ name: 'queue_size', labels: {}, value: 4 }])
  })
})
