import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemRandom } from './random.ts'
import { Ticker } from './ticker.ts'
import { VirtualClock } from './virtual-clock.ts'

function open(turn: (n: number) => Promise<void> | void) {
  const clock = new VirtualClock()
  const errors: unknown[] = []
  let turns = 0
  const ticker = new Ticker({
    clock,
    random: systemRandom,
    intervalMs: 1_000,
    turn: async () => turn(++turns),
    onError: (error) => errors.push(error),
  })
  return { clock, ticker, errors, turns: () => turns }
}

describe('Ticker', () => {
  it('takes turns in its interval, and at once when woken', async () => {
    const { clock, ticker, turns } = open(() => {})
    await clock.advance(0)
    assert.equal(turns(), 1)
    await clock.advance(890)
    assert.equal(turns(), 1)
    await clock.advance(220)
    assert.equal(turns(), 2)
    ticker.wake()
    await clock.advance(0)
    assert.equal(turns(), 3)
    await ticker.close()
  })

  it('takes another turn when it is woken during one', async () => {
    const opened = open((n) => {
      if (n === 1) opened.ticker.wake()
    })
    await opened.clock.advance(0)
    assert.equal(opened.turns(), 2)
    await opened.ticker.close()
  })

  it('goes on after a failure, but not at once', async () => {
    const { clock, ticker, errors, turns } = open((n) => {
      if (n > 1) return
      ticker.wake()
      throw new Error('no')
    })
    await clock.advance(90)
    assert.equal(turns(), 1)
    assert.equal(errors.length, 1)
    await clock.advance(20)
    assert.ok(turns() > 1)
    await ticker.close()
  })

  it('closes after the turn that runs', async () => {
    let end = (): void => {}
    const { clock, ticker, turns } = open(() => new Promise((resolve) => (end = resolve)))
    await clock.advance(0)
    let isClosed = false
    const closed = ticker.close().then(() => (isClosed = true))
    await clock.advance(5_000)
    assert.equal(isClosed, false)
    assert.equal(ticker.isClosing, true)
    end()
    await closed
    assert.equal(turns(), 1)
  })
})
