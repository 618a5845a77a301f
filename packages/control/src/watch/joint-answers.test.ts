import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import { JointAnswers } from './joint-answers.ts'

describe('JointAnswers', () => {
  it('makes an answer once for all who ask within its time, and each question its own', async () => {
    const clock = new VirtualClock()
    const shared = new JointAnswers<number>(clock, 1_000)
    let made = 0
    const ask = (key: string): Promise<number> => shared.get(key, async () => ++made)
    assert.deepEqual(await Promise.all([ask('a'), ask('a'), ask('b')]), [1, 1, 2])
    await clock.advance(999)
    assert.equal(await ask('a'), 1)
    await clock.advance(1)
    assert.equal(await ask('a'), 3)
  })

  it('keeps no failure', async () => {
    const shared = new JointAnswers<number>(new VirtualClock(), 1_000)
    const fail = (): Promise<number> => Promise.reject(new Error('away'))
    await Promise.all([1, 2].map(() => assert.rejects(shared.get('a', fail), /away/)))
    assert.equal(await shared.get('a', async () => 5), 5)
  })

  it('keeps fifty at the most', async () => {
    const shared = new JointAnswers<number>(new VirtualClock(), 1_000)
    for (let n = 0; n < 51; n++) await shared.get(String(n), async () => n)
    assert.equal(await shared.get('0', async () => -1), -1)
    assert.equal(await shared.get('50', async () => -1), 50)
  })
})
