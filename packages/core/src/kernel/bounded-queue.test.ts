import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BoundedQueue } from './bounded-queue.ts'

/** The same queue, kept the naive way. */
class Model {
  readonly #sizeMax: number
  items: number[] = []

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }

  push(item: number): boolean {
    if (this.items.length === this.#sizeMax) return false
    this.items.push(item)
    return true
  }

  shift(): number | undefined {
    return this.items.shift()
  }

  remove(item: number): boolean {
    const index = this.items.indexOf(item)
    if (index >= 0) this.items.splice(index, 1)
    return index >= 0
  }
}

type Step = (queue: Pick<BoundedQueue<number>, 'push' | 'shift' | 'remove'>) => unknown

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.nat(5).map(
      (item): Step =>
        (queue) =>
          queue.push(item),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((queue) => queue.shift()) },
  {
    weight: 1,
    arbitrary: fc.nat(5).map(
      (item): Step =>
        (queue) =>
          queue.remove(item),
    ),
  },
)

describe('BoundedQueue', () => {
  it('BoundedQueue behaves as an array that refuses to grow beyond its bound', () => {
    fc.assert(
      fc.property(fc.nat(4), fc.array(anyStep, { maxLength: 40, size: 'max' }), (sizeMax, steps) => {
        const queue = new BoundedQueue<number>(sizeMax)
        const model = new Model(sizeMax)
        for (const step of steps) {
          assert.equal(step(queue), step(model))
          assert.equal(queue.size, model.items.length)
          assert.equal(queue.isFull, model.items.length === sizeMax)
        }
        const left = Array.from({ length: queue.size }, () => queue.shift())
        assert.deepEqual(left, model.items)
        assert.equal(queue.shift(), undefined)
      }),
    )
  })

  it('BoundedQueue of size 0 is always full', () => {
    const queue = new BoundedQueue<string>(0)
    assert.equal(queue.push('x'), false)
    assert.equal(queue.shift(), undefined)
    assert.equal(queue.remove('x'), false)
  })
})
