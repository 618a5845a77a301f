import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../kernel/random.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import { KeptTraces } from './kept-traces.ts'

const random = seededRandom(7)
const has = (kept: KeptTraces, { trace0, trace1, trace2, trace3 }: TraceContext): boolean =>
  kept.has(trace0, trace1, trace2, trace3)

describe('KeptTraces', () => {
  it('tells others once of what was seen here, and never of what others told', () => {
    const kept = new KeptTraces()
    const [ours, theirs] = [TraceContext.start(random, false), TraceContext.start(random, false)]
    kept.add(ours)
    kept.add(ours.child(random))
    kept.addOf(theirs.traceId)
    kept.addOf('nonsense')
    assert.ok(has(kept, ours) && has(kept, theirs))
    assert.deepEqual(kept.takeFresh(), [ours.traceId])
    assert.deepEqual(kept.takeFresh(), [])
    assert.deepEqual([kept.takeChange(), kept.takeChange()], [true, false])
  })

  it('forgets after some looks, and takes no more than so many new ones between two', () => {
    const kept = new KeptTraces()
    for (let n = 0; n < 60; n++) kept.add(TraceContext.start(random, false))
    assert.deepEqual([kept.size, kept.refused, kept.takeFresh().length], [50, 10, 50])
    for (let look = 0; look < 15; look++) kept.age()
    assert.equal(kept.size, 0)
  })

  it('counts what others told and there is no room for, and keeps for longer what is told again', () => {
    const kept = new KeptTraces()
    const all = Array.from({ length: 1_003 }, () => TraceContext.start(random, false))
    for (const trace of all) kept.addOf(trace.traceId)
    assert.deepEqual([kept.size, kept.refused], [1_000, 3])
    for (let look = 0; look < 14; look++) kept.age()
    const [first, second] = all as [TraceContext, TraceContext]
    kept.addOf(first.traceId)
    kept.age()
    assert.deepEqual([has(kept, first), has(kept, second), kept.refused], [true, false, 3])
  })
})
