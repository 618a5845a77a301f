import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { seededRandom } from '../kernel/random.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import type { Logger } from './log.ts'
import { Metrics } from './metrics.ts'
import { OtlpSender, type Posted } from './otlp-sender.ts'
import { SpanExporter } from './span-exporter.ts'
import { SpanRing } from './spans.ts'

const random = seededRandom(3)

/** An endpoint, and what it took. */
function openEndpoint(name: string, clock: VirtualClock) {
  /** Span ids of every request that was taken. */
  const taken: string[][] = []
  const answers = { status: 200, retryAfterS: 0, isSilent: false, afterMs: 0 }
  const post = async (body: string): Promise<Posted> => {
    if (answers.isSilent) await new Promise(() => {})
    if (answers.afterMs > 0) await clock.sleep(answers.afterMs)
    const ids = [...body.matchAll(/"spanId":"([0-9a-f]+)"/g)].map(([, spanId]) => spanId as string)
    // As any receiver does with what is too long.
    if (Buffer.byteLength(body) > 4 * 1024 * 1024) return { status: 413, retryAfterS: 0, body: '' }
    if (answers.status === 200) taken.push(ids)
    return { status: answers.status, retryAfterS: answers.retryAfterS, body: '{}' }
  }
  const to = { name, sender: new OtlpSender(clock, random, post), timeoutMs: 10_000 }
  return { taken, answers, to }
}

function open(t: TestContext, sizeMax = 2_000) {
  const clock = new VirtualClock()
  const metrics = new Metrics()
  const lines: string[] = []
  const keep = (line: string): void => void lines.push(line)
  const log: Logger = { debug: keep, info: keep, warn: keep, error: keep, with: () => log }
  const ring = new SpanRing({ sizeMax, isExported: true })
  const told: string[] = []
  const one = openEndpoint('console', clock)
  const other = openEndpoint('backend', clock)
  const exporter = new SpanExporter({
    ring,
    to: [one.to, other.to],
    facts: { app: 'shop', instance: 'i', version: '1', attributes: {} },
    clock,
    random,
    log,
    metrics,
    onKept: (ids) => told.push(...ids),
  })
  const spans = ring.of('desk')
  const record = (
    trace: TraceContext,
    durationMs = 1,
    code: 'ok' | 'internal' | 'not_found' = 'ok',
  ): string => {
    const own = trace.child(random)
    spans.record('work', 'server', own, trace, clock.monotonicMs(), durationMs, code)
    return own.spanId
  }
  const turn = (): Promise<void> => clock.advance(2_400)
  let isClosed = false
  const close = async (): Promise<void> => {
    if (isClosed) return
    isClosed = true
    const closed = exporter.close()
    await clock.advance(3_000)
    await closed
  }
  t.after(close)
  const counted = (to: string): Readonly<Record<string, number>> => {
    const lines = metrics
      .toPrometheus()
      .matchAll(/^flotilla_spans_exported_total\{to="(\w+)",outcome="(\w+)"\} (\d+)$/gm)
    return Object.fromEntries(
      [...lines].flatMap(([, its, outcome, count]) => (its === to ? [[outcome, Number(count)]] : [])),
    )
  }
  const { taken, answers } = one
  return { clock, lines, ring, told, taken, answers, other, counted, record, turn, close }
}

const sampled = (): TraceContext => TraceContext.start(random, true)
const unsampled = (): TraceContext => TraceContext.start(random, false)

describe('SpanExporter', () => {
  it('sends the spans of chosen traces within two seconds or so, in batches, each once', async (t) => {
    const { record, turn, taken, counted } = open(t)
    const ids = Array.from({ length: 600 }, () => record(sampled()))
    record(unsampled())
    await turn()
    assert.deepEqual(taken.flat().sort(), ids.sort())
    assert.ok(taken.every((batch) => batch.length <= 256))
    await turn()
    assert.equal(taken.flat().length, 600)
    assert.deepEqual(counted('console'), { sent: 600, overwritten: 0 })
  })

  it('does not wait where half of the ring is new: nothing is overwritten that could be sent', async (t) => {
    const { clock, record, turn, taken, counted } = open(t, 100)
    await turn()
    const ids: string[] = []
    for (let half = 0; half < 12; half++) {
      for (let count = 0; count < 50; count++) ids.push(record(sampled()))
      await clock.advance(1)
    }
    assert.equal(taken.flat().length, 512)
    await turn()
    assert.deepEqual(taken.flat().sort(), ids.sort())
    assert.deepEqual(counted('console'), { sent: 600, overwritten: 0 })
  })

  it('takes the few chosen ones of many out of the ring in time, and makes no request of its own for them', async (t) => {
    const { clock, record, turn, taken, counted } = open(t, 100)
    await turn()
    const ids: string[] = []
    for (let half = 0; half < 20; half++) {
      for (let count = 0; count < 40; count++) record(unsampled())
      for (let count = 0; count < 10; count++) ids.push(record(sampled()))
      await clock.advance(1)
    }
    assert.equal(taken.length, 0)
    await turn()
    assert.equal(taken.length, 1)
    assert.deepEqual(taken.flat().sort(), ids.sort())
    assert.deepEqual(counted('console'), { sent: 200, overwritten: 0 })
  })

  it('keeps the whole of a slow or failed trace: what was before, what comes after, and tells the others', async (t) => {
    const { record, turn, taken, told } = open(t)
    for (const isSlow of [true, false]) {
      const trace = unsampled()
      const before = record(trace)
      const seen = isSlow ? record(trace, 501) : record(trace, 1, 'internal')
      const after = record(trace)
      await turn()
      const later = record(trace)
      await turn()
      assert.deepEqual(taken.splice(0).flat().sort(), [before, seen, after, later].sort())
      assert.deepEqual(told.splice(0), [trace.traceId])
    }
    const dull = unsampled()
    record(dull, 499)
    record(dull, 1, 'not_found')
    await turn()
    assert.deepEqual([taken, told], [[], []])
  })

  it('keeps what others have seen to be slow, and does not tell it again', async (t) => {
    const { record, turn, taken, told, ring } = open(t)
    const trace = unsampled()
    const id = record(trace)
    await turn()
    assert.deepEqual(taken, [])
    ring.kept.addOf(trace.traceId)
    await turn()
    assert.deepEqual([taken, told], [[[id]], []])
  })

  it('tries again with growing waits what cannot be taken now, and counts what is lost meanwhile', async (t) => {
    const { clock, record, turn, taken, answers, other, counted, ring, lines } = open(t, 300)
    answers.status = 503
    other.answers.status = 503
    const first = Array.from({ length: 256 }, () => record(sampled()))
    await turn()
    for (let n = 0; n < 400; n++) record(sampled())
    assert.equal(ring.lost, 100)
    answers.status = 200
    other.answers.status = 200
    await clock.advance(40_000)
    assert.deepEqual(taken[0]?.sort(), first.sort())
    for (const to of ['console', 'backend']) assert.deepEqual(counted(to), { sent: 556, overwritten: 100 })
    assert.deepEqual(lines, [], 'it was over soon')
  })

  it('tells once that spans wait for long, and when they do no more', async (t) => {
    const { clock, record, answers, lines } = open(t)
    answers.status = 503
    record(sampled())
    await clock.advance(5_000)
    assert.deepEqual(lines, [])
    await clock.advance(40_000)
    assert.deepEqual(lines, ['spans are not taken'])
    answers.status = 200
    record(sampled())
    await clock.advance(40_000)
    assert.deepEqual(lines, ['spans are not taken', 'spans are taken again'])
  })

  it('gives up what is refused, and after some attempts what nobody answers', async (t) => {
    for (const status of [400, 0]) {
      const { clock, record, taken, answers, counted, lines } = open(t)
      answers.status = status
      record(sampled())
      await clock.advance(2_400)
      assert.deepEqual(lines, status === 400 ? ['spans are not taken'] : [], 'a loss is told at once')
      await clock.advance(200_000)
      answers.status = 200
      const id = record(sampled())
      await clock.advance(2_000)
      assert.deepEqual(taken, [[id]])
      assert.deepEqual(counted('console'), { sent: 1, refused: 1, overwritten: 0 })
    }
  })

  it('makes smaller requests of large spans', async (t) => {
    const { ring, turn, taken, counted } = open(t)
    const keys = Array.from({ length: 32 }, (_, index) => [`${index}`.padEnd(256, 'k'), 'ä€'.repeat(128)])
    const attributes = Object.fromEntries(keys)
    for (let n = 0; n < 256; n++) {
      const trace = sampled()
      ring.of('desk').record('work', 'server', trace, undefined, 0, 1, 'ok', attributes)
    }
    await turn()
    assert.equal(taken.flat().length, 256)
    assert.ok(taken.length > 1)
    assert.deepEqual(counted('console'), { sent: 256, overwritten: 0 })
  })

  it('gives every endpoint the same', async (t) => {
    const { record, turn, taken, other } = open(t)
    for (let n = 0; n < 300; n++) record(sampled())
    await turn()
    assert.deepEqual(other.taken, taken)
    assert.equal(taken.flat().length, 300)
  })

  for (const [how, trouble] of [
    ['slow', { afterMs: 8_000 }],
    ['silent', { isSilent: true }],
    ['away', { status: 0 }],
  ] as const) {
    it(`holds up nobody for an endpoint that is ${how}, and keeps a bounded part for it`, async (t) => {
      const { record, turn, taken, other, counted, told } = open(t)
      Object.assign(other.answers, trouble)
      const ids: string[] = []
      for (let n = 0; n < 100; n++) {
        for (let span = 0; span < 256; span++) ids.push(record(sampled()))
        const failed = unsampled()
        ids.push(record(failed, 1, 'internal'))
        await turn()
        assert.equal(told.at(-1), failed.traceId)
      }
      assert.deepEqual(taken.flat().sort(), ids.sort())
      assert.deepEqual(counted('console'), { sent: ids.length, overwritten: 0 })
      const { sent = 0, refused = 0, dropped = 0 } = counted('backend')
      assert.ok(dropped > 0)
      const waiting = ids.length - sent - refused - dropped
      assert.ok(waiting > 4_000 && waiting < 20_000, String(waiting))
    })
  }

  it('gives an endpoint that was away for a while what waited for it', async (t) => {
    const { clock, record, turn, taken, other, counted } = open(t)
    other.answers.status = 0
    for (let n = 0; n < 5; n++) {
      record(sampled())
      await turn()
    }
    assert.deepEqual(other.taken, [])
    other.answers.status = 200
    await clock.advance(40_000)
    assert.deepEqual(other.taken, taken)
    assert.deepEqual(counted('backend'), { sent: 5, overwritten: 0 })
  })

  it('waits as long as it is asked to', async (t) => {
    const { clock, record, taken, answers, turn } = open(t)
    Object.assign(answers, { status: 429, retryAfterS: 20 })
    record(sampled())
    await turn()
    answers.status = 200
    await clock.advance(17_000)
    assert.deepEqual(taken, [])
    await clock.advance(6_000)
    assert.equal(taken.length, 1)
  })

  it('sends the rest at closing, and is closed within two seconds whatever the endpoint does', async (t) => {
    const quick = open(t)
    await quick.turn()
    const id = quick.record(sampled())
    await quick.close()
    assert.deepEqual(quick.taken, [[id]])
    const stuck = open(t)
    stuck.answers.isSilent = true
    const first = stuck.record(sampled())
    await stuck.turn()
    const last = stuck.record(sampled())
    await stuck.close()
    assert.deepEqual(stuck.taken, [])
    assert.deepEqual(stuck.other.taken, [[first], [last]])
  })
})
