import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import { DatabaseFigures } from './database-figures.ts'

describe('DatabaseFigures', () => {
  it('counts transactions since it was asked last; the first time, or anew, since the statistics began', async () => {
    const clock = new VirtualClock()
    const its = { database: 'orders', bytes: 1, connections: 2, deadlocks: 0, seconds: 100 }
    const counted = { ...its, transactions: 500, hits: 30, reads: 10 }
    const databases = { inEach: async () => new Map([['orders', { ...counted }]]) }
    const figures = new DatabaseFigures(databases as never, clock)
    const ask = async (transactions: number, afterMs: number): Promise<number | undefined> => {
      await clock.advance(afterMs)
      counted.transactions = transactions
      const [first] = await figures.all({} as never)
      assert.equal(first?.hitShare, 0.75)
      return first?.transactionsPerSec
    }
    assert.equal(await ask(500, 0), 5)
    assert.equal(await ask(520, 10_000), 2)
    assert.equal(await ask(100, 10_000), 1)
    assert.equal(await ask(700, 301_000), 7)
  })
})
