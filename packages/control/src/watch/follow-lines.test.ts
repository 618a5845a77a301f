import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import type { StoredLine } from '../telemetry/rows.ts'
import { openTestStore } from '../testing/test-store.ts'
import { followLines } from './follow-lines.ts'

const linesOf = (count: number, more: Partial<StoredLine> = {}): StoredLine[] =>
  Array.from({ length: count }, (_, index) => ({
    timeUs: systemClock.now() * 1_000 - count + index,
    level: 'info',
    service: 'orders',
    instance: 'orders-1',
    message: `line ${index}`,
    ...more,
  }))

/** What is lost is waited for in vain. */
const TIMEOUT_MS = 60_000

describe('followLines', () => {
  it('gives every one of thousands of lines that come at once, in their order', {
    timeout: TIMEOUT_MS,
  }, async (t) => {
    const store = await openTestStore(t)
    const leave = new AbortController()
    const following = followLines(store, systemClock, 'service=orders', leave.signal)
    const first = following.next()
    const [before, wanted] = [linesOf(700, { service: 'stock' }), linesOf(5_000)]
    store.appendLogs([...before, ...wanted])
    await store.flush()
    const found: string[] = []
    for (let next = await first; found.length < wanted.length; next = await following.next()) {
      assert.ok(!next.done)
      found.push(next.value.message)
      if (found.length === wanted.length) break
    }
    assert.deepEqual(
      found,
      wanted.map(({ message }) => message),
    )
    leave.abort()
    assert.equal((await following.next()).done, true)
  })

  it('goes on after lines that nobody wants, and takes lines of whatever time', {
    timeout: TIMEOUT_MS,
  }, async (t) => {
    const store = await openTestStore(t)
    const leave = new AbortController()
    const following = followLines(store, systemClock, 'level>=warn', leave.signal)
    const first = following.next()
    store.appendLogs(linesOf(2_000))
    await store.flush()
    const [late] = linesOf(1, { level: 'warn', message: 'late' }) as [StoredLine]
    store.appendLogs([{ ...late, timeUs: late.timeUs - 3_600_000_000 }])
    await store.flush()
    assert.equal((await first).value?.message, 'late')
    leave.abort()
  })

  it('says how many lines it left out when it is read too slowly, and goes on with those that come then', {
    timeout: TIMEOUT_MS,
  }, async (t) => {
    const store = await openTestStore(t)
    const leave = new AbortController()
    const following = followLines(store, systemClock, '', leave.signal)
    const first = following.next()
    // As many as wait at once: more would be dropped before they are written.
    for (let part = 0; part < 2; part++) {
      store.appendLogs(linesOf(15_000))
      await store.flush()
    }
    let given = 0
    let next = await first
    for (; next.value?.fields['leftOut'] === undefined; next = await following.next()) given += 1
    assert.ok(given >= 20_000, String(given))
    const { level, message, fields } = next.value
    assert.deepEqual([level, fields['leftOut']], ['warn', 30_000 - given])
    assert.match(message, /^\d+ lines were left out here/)
    const after = following.next()
    store.appendLogs(linesOf(1, { message: 'after that' }))
    await store.flush()
    assert.equal((await after).value?.message, 'after that')
    leave.abort()
  })
})
