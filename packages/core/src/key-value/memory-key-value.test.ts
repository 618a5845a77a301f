import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../kernel/clock.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import { testKeyValue } from '../testing/key-value-conformance.ts'
import { MemoryKeyValue } from './memory-key-value.ts'

testKeyValue('MemoryKeyValue', async () => {
  const its = new MemoryKeyValue(systemClock)
  return { open: () => its }
})

describe('MemoryKeyValue', () => {
  const policy = { perMinute: 60, burst: 10 }

  it('forgets buckets that are full again, and no others', async () => {
    const clock = new VirtualClock()
    const its = new MemoryKeyValue(clock)
    for (let key = 0; key < 100; key++) await its.take({ key: `${key}`, policy, count: 10 })
    assert.equal(its.size, 100)
    await clock.advance(10_000)
    for (let key = 0; key < 60; key++) await its.take({ key: `new ${key}`, policy, count: 10 })
    assert.equal(its.size, 60)
    assert.equal((await its.take({ key: 'new 0', policy, count: 1 })).taken, 0)
  })

  it('is bounded: the longest untouched is forgotten first', async () => {
    const its = new MemoryKeyValue(new VirtualClock(), 3)
    for (const key of ['a', 'b', 'c', 'a', 'd']) await its.take({ key, policy, count: 5 })
    assert.equal(its.size, 3)
    assert.equal((await its.take({ key: 'a', policy, count: 10 })).taken, 0)
    assert.equal((await its.take({ key: 'b', policy, count: 10 })).taken, 10)
  })
})
