import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SeriesAnswer, SeriesQuestion } from './series-question.ts'

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly timeMs: number
  readonly value: number
  readonly increase: number
}

/** Series for tests: what was written is asked for by the port, one point a series. */
export class WrittenSeries {
  readonly #samples: Sample[] = []
  readonly #last = new Map<string, number>()
  /** How often it was asked. */
  questions: SeriesQuestion[] = []
  /** What answers are instead. */
  failure: Error | undefined

  write(name: string, labels: Readonly<Record<string, string>>, timeMs: number, value: number): void {
    const key = JSON.stringify([name, labels])
    this.#samples.push({ name, labels, timeMs, value, increase: value - (this.#last.get(key) ?? 0) })
    this.#last.set(key, value)
  }

  readonly ask = async (question: SeriesQuestion): Promise<SeriesAnswer> => {
    this.questions.push(question)
    if (this.failure !== undefined) throw this.failure
    const { name, matchers, as, quantile, by, merge, fromMs, toMs } = question
    const found = this.#samples.filter(
      (one) =>
        one.name === (as === 'quantile' ? `${name}_bucket` : name) &&
        one.timeMs >= fromMs &&
        one.timeMs < toMs &&
        matchers.every(({ label, is, values }) => values.includes(one.labels[label] ?? '') === (is === '=')),
    )
    const groups = grouped(found, ({ labels }) => JSON.stringify(by.map((one) => labels[one] ?? '')))
    const series = [...groups.values()].map((samples) => ({
      labels: Object.fromEntries(by.map((one) => [one, samples[0]?.labels[one] ?? ''])),
      points: [
        [0, valueIn(samples, as, quantile, merge) / (as === 'rate' ? (toMs - fromMs) / 1_000 : 1)] as const,
      ],
    }))
    return { series }
  }
}

function valueIn(samples: readonly Sample[], as: string, quantile: number, merge: string): number {
  const added = (those: readonly Sample[]): number => those.reduce((sum, one) => sum + one.increase, 0)
  if (as === 'rate') return added(samples)
  if (as === 'quantile') {
    const bounds = [...grouped(samples, ({ labels }) => Number(labels['le']?.replace('+Inf', 'Infinity')))]
      .map(([bound, those]) => [bound, added(those)] as const)
      .sort(([one], [other]) => one - other)
    const total = bounds.at(-1)?.[1] ?? 0
    return bounds.find(([, count]) => count >= quantile * total)?.[0] ?? Number.NaN
  }
  const latest = [...grouped(samples, ({ labels }) => JSON.stringify(labels)).values()].map(
    (those) => those.at(-1)?.value ?? 0,
  )
  const sum = latest.reduce((total, one) => total + one, 0)
  if (merge === 'avg') return sum / latest.length
  return merge === 'sum' ? sum : Math[merge === 'max' ? 'max' : 'min'](...latest)
}

function grouped<K>(samples: readonly Sample[], key: (one: Sample) => K): Map<K, Sample[]> {
  const groups = new Map<K, Sample[]>()
  for (const one of samples) groups.set(key(one), [...(groups.get(key(one)) ?? []), one])
  return groups
}

describe('WrittenSeries', () => {
  it('answers by the port', async () => {
    const series = new WrittenSeries()
    for (const [timeMs, value] of [
      [0, 5],
      [1_000, 7],
    ] as const)
      series.write('a', { x: '1' }, timeMs, value)
    const question: SeriesQuestion = {
      name: 'a',
      matchers: [],
      as: 'rate',
      quantile: 0,
      by: ['x'],
      merge: 'sum',
      fromMs: 0,
      toMs: 2_000,
    }
    assert.deepEqual(await series.ask(question), { series: [{ labels: { x: '1' }, points: [[0, 3.5]] }] })
  })
})
