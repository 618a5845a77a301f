import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Closing } from '../kernel/closing.ts'
import { createIds } from '../kernel/ids.ts'
import { seededRandom } from '../kernel/random.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { SpanRing } from '../telemetry/spans.ts'
import { Background } from './background.ts'
import type { Context, Origin } from './definition.ts'

const INTERVAL_MS = 1_000

/** Background work on a clock that stands still. */
function setUp(seed = 1) {
  const clock = new VirtualClock()
  const random = seededRandom(seed)
  const lines: string[] = []
  const keep = (line: string): void => void lines.push(line)
  const log = { debug: keep, info: keep, warn: keep, error: keep, with: () => log }
  const metrics = new Metrics()
  const closing = new Closing(clock)
  const spans = new SpanRing({ sizeMax: 8 })
  const environment = {
    service: 'desk',
    ports: { clock, random, newId: createIds(clock, random) },
    log,
    metrics,
    spans: spans.of('desk'),
    database: undefined,
    callsOf: () => assert.fail('calls nobody'),
    outbox: undefined,
  }
  const background = new Background(environment, metrics, closing)
  return { clock, random, lines, metrics, spans, closing, background }
}

describe('Background.run', () => {
  it('tells the work when its time is up', async () => {
    const { clock, background } = setUp()
    const work = background.run('wait', 100, (ctx) => ctx.clock.sleep(60_000, ctx.signal))
    const stopped = assert.rejects(work, /wait took longer than 100 ms/)
    await clock.advance(100)
    await stopped
    assert.equal(clock.pending, 0)
  })

  it('is a span of its own: the first of a trace, or below the one who asked; none where it runs in a given one', async () => {
    const { random, background, spans } = setUp()
    const asker = TraceContext.start(random, true)
    const traceOf = (origin?: Origin): Promise<TraceContext> =>
      background.run('answer', 100, async ({ trace }) => trace, origin)
    const alone = await traceOf()
    const below = await traceOf({ parent: asker })
    assert.equal(await traceOf({ trace: asker }), asker)
    const facts = (trace: TraceContext) =>
      spans.ofTrace(trace.traceId).map(({ name, kind, spanId, parentId }) => [name, kind, spanId, parentId])
    assert.notEqual(alone.traceId, asker.traceId)
    assert.deepEqual(facts(alone), [['answer', 'internal', alone.spanId, undefined]])
    assert.equal(below.isSampled, true)
    assert.deepEqual(facts(asker), [['answer', 'server', below.spanId, asker.spanId]])
  })
})

describe('Background.every', () => {
  it('begins at once, and repeats with up to a tenth of jitter, which differs from one instance to the next', async () => {
    const startsOf = async (seed: number): Promise<number[]> => {
      const { clock, background, closing } = setUp(seed)
      const startsMs: number[] = []
      background.every('count', INTERVAL_MS, async () => void startsMs.push(clock.monotonicMs()))
      for (let stepMs = 0; stepMs < 20 * INTERVAL_MS; stepMs++) await clock.advance(1)
      await closing.close()
      return startsMs
    }
    const startsMs = await startsOf(1)
    assert.equal(startsMs[0], 0)
    const pausesMs = startsMs.slice(1).map((startMs, index) => startMs - (startsMs[index] as number))
    // A timer fires at the first whole millisecond after its time.
    for (const pauseMs of pausesMs)
      assert.ok(pauseMs >= 0.9 * INTERVAL_MS && pauseMs <= 1.1 * INTERVAL_MS + 1)
    assert.ok(new Set(pausesMs).size > 10)
    assert.deepEqual(await startsOf(1), startsMs)
    assert.notDeepEqual(await startsOf(2), startsMs)
  })

  it('takes another turn after one that failed, logs and counts it', async () => {
    const { clock, background, closing, lines, metrics } = setUp()
    let turns = 0
    background.every('fail', INTERVAL_MS, async () => {
      turns++
      throw new Error('broken')
    })
    await clock.advance(5 * INTERVAL_MS)
    await closing.close()
    assert.ok(turns >= 4)
    assert.deepEqual(new Set(lines), new Set(['background task fail failed']))
    assert.match(metrics.toPrometheus(), new RegExp(`background_failures_total.*task="fail".* ${turns}\n`))
  })

  it('takes a turn at once when woken, and another when woken during one; never two at a time', async () => {
    const { clock, background, closing } = setUp()
    let running = 0
    let turns = 0
    const wake = background.every('work', INTERVAL_MS, async (ctx) => {
      assert.equal(++running, 1)
      turns++
      await ctx.clock.sleep(100)
      running--
    })
    await clock.advance(150)
    assert.equal(turns, 1)
    wake()
    await clock.advance(50)
    assert.equal(turns, 2)
    wake()
    wake()
    await clock.advance(100)
    assert.equal(turns, 3)
    await clock.advance(500)
    assert.equal(turns, 3)
    const closed = closing.close()
    await clock.advance(1_000)
    await closed
  })

  it('lets a turn end at closing, and takes no more', async () => {
    const { clock, background, closing } = setUp()
    let ended = 0
    const wake = background.every('work', INTERVAL_MS, async (ctx: Context) => {
      await ctx.clock.sleep(100, ctx.signal)
      ended++
    })
    await clock.advance(50)
    let isClosed = false
    const closed = closing.close().then(() => {
      isClosed = true
    })
    wake()
    await clock.advance(49)
    assert.equal(isClosed, false)
    await clock.advance(1)
    await closed
    await clock.advance(10 * INTERVAL_MS)
    assert.equal(ended, 1)
    assert.equal(clock.pending, 0)
  })
})
