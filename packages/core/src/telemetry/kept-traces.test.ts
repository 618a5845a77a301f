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
})
