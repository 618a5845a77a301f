import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../kernel/random.ts'
import { Balancer, defaultBalance } from './balancer.ts'
import type { Endpoint } from './endpoint.ts'
import { PeakEwma } from './peak-ewma.ts'
import { sparesNewcomers } from './slow-start.ts'
import { subsetOf } from './subset.ts'

type Instance = Endpoint & { isWell: boolean }

function instance(id: string, zone = ''): Instance {
  const ewma = new PeakEwma()
  return {
    id,
    weight: 1,
    zone,
    ewma,
    slowStart: undefined,
    isWell: true,
    isAvailable() {
      return this.isWell
    },
  }
}

/** Ids of those that are picked at all. */
function picked(balancer: Balancer, all: readonly Instance[]): readonly string[] {
  const ids = new Set<string>()
  for (let pick = 0; pick < 200; pick++) {
    const one = balancer.pick(all, 0)
    if (one !== undefined) ids.add(one.id)
  }
  return [...ids].sort()
}

const random = { ...defaultBalance, policy: 'random' } as const

describe('Balancer', () => {
  it('passes over those that are unwell, until fewer than half are well', () => {
    const all = ['a', 'b', 'c', 'd'].map((id) => instance(id))
    const balancer = new Balancer(seededRandom(1), '', random)
    const sicken = (id: string): void => {
      for (const one of all) if (one.id === id) one.isWell = false
    }
    assert.deepEqual(picked(balancer, all), ['a', 'b', 'c', 'd'])
    sicken('a')
    assert.deepEqual(picked(balancer, all), ['b', 'c', 'd'])
    sicken('b')
    assert.deepEqual(picked(balancer, all), ['c', 'd'])
    sicken('c')
    assert.deepEqual(picked(balancer, all), ['a', 'b', 'c', 'd'])
  })

  it('takes only those that are well where panic is off, and nobody when there is none', () => {
    const all = ['a', 'b', 'c'].map((id) => instance(id))
    const balancer = new Balancer(seededRandom(1), '', { ...random, panicShare: 0 })
    for (const one of all.slice(1)) one.isWell = false
    assert.deepEqual(picked(balancer, all), ['a'])
    for (const one of all) one.isWell = false
    assert.deepEqual(picked(balancer, all), [])
  })

  it('stays in its zone as long as half of that are well', () => {
    const all = [instance('a1', 'a'), instance('a2', 'a'), instance('b1', 'b'), instance('b2', 'b')]
    const balancer = new Balancer(seededRandom(1), 'a', random)
    assert.deepEqual(picked(balancer, all), ['a1', 'a2'])
    for (const one of all.slice(0, 1)) one.isWell = false
    assert.deepEqual(picked(balancer, all), ['a2'])
    for (const one of all.slice(0, 2)) one.isWell = false
    assert.deepEqual(picked(balancer, all), ['b1', 'b2'])
    assert.deepEqual(picked(new Balancer(seededRandom(1), 'c', random), all), ['b1', 'b2'])
    // One of three has too much to carry.
    const more = [...all, instance('a3', 'a')]
    assert.deepEqual(picked(balancer, more), ['a3', 'b1', 'b2'])
  })

  it('changes its policy from one pick to the next', () => {
    const all = ['a', 'b', 'c'].map((id) => instance(id))
    const balancer = new Balancer(seededRandom(1))
    for (const one of all.slice(1)) for (let call = 0; call < 5; call++) one.ewma.begin()
    assert.deepEqual(picked(balancer, all.slice(0, 2)), ['a'])
    balancer.configure({ policy: 'round_robin', panicShare: 0.5 })
    const order = Array.from({ length: 4 }, () => balancer.pick(all, 0)?.id)
    assert.deepEqual(order, ['a', 'b', 'c', 'a'])
    // A change of something else does not begin the round anew.
    balancer.configure({ policy: 'round_robin', panicShare: 0 })
    assert.equal(balancer.pick(all, 0)?.id, 'b')
  })
})

describe('sparesNewcomers', () => {
  it('spares the few, not the many', () => {
    assert.deepEqual(
      [sparesNewcomers(1, 4), sparesNewcomers(2, 4), sparesNewcomers(4, 4), sparesNewcomers(0, 3)],
      [true, false, false, true],
    )
  })
})

describe('subsetOf', () => {
  const all = Array.from({ length: 40 }, (_, index) => ({ id: `i${index}` }))
  const idOf = ({ id }: { readonly id: string }): string => id

  it('gives every caller as many as it wants, always the same, and all together everybody', () => {
    const reached = new Map<string, number>()
    for (let caller = 0; caller < 60; caller++) {
      const subset = subsetOf(all, idOf, `caller-${caller}`, 8)
      assert.equal(new Set(subset).size, 8)
      assert.deepEqual(subsetOf(all, idOf, `caller-${caller}`, 8), subset)
      for (const { id } of subset) reached.set(id, (reached.get(id) ?? 0) + 1)
    }
    assert.equal(reached.size, all.length)
    // 60 callers of 8 each: 12 callers an instance.
    assert.ok([...reached.values()].every((count) => count >= 3 && count <= 26))
    assert.equal(subsetOf(all.slice(0, 5), idOf, 'caller', 8).length, 5)
  })

  it('changes only where an instance left', () => {
    const left = all.slice(1)
    for (let caller = 0; caller < 60; caller++) {
      const before = subsetOf(all, idOf, `caller-${caller}`, 8)
      const after = subsetOf(left, idOf, `caller-${caller}`, 8)
      const kept = before.filter((one) => after.includes(one))
      assert.equal(kept.length, before.includes(all[0] as (typeof all)[0]) ? 7 : 8)
    }
  })
})
