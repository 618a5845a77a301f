import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { firstView, moved, wholeView, zoomed } from './viewport.ts'

const whole = wholeView(1_000, 500)
const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-6, `${a} ${b}`)

describe('firstView', () => {
  it('is everything where that can be read, else what is around the point', () => {
    assert.deepEqual(firstView(whole, { width: 900, height: 500 }, { x: 0, y: 0 }), whole)
    const view = firstView(whole, { width: 350, height: 280 }, { x: 500, y: 250 })
    near(view.x, 250)
    near(view.y, 50)
    near(view.width, 500)
    near(view.height, 400)
    near(firstView(whole, { width: 350, height: 280 }, { y: 250 }).x, 0)
    assert.deepEqual(firstView(whole, { width: 0, height: 0 }, { x: 0, y: 0 }), whole)
  })
})

describe('zoomed', () => {
  it('keeps the point where it was', () => {
    const view = zoomed(whole, 2, { x: 250, y: 125 }, whole)
    near(view.width, 500)
    near((250 - view.x) / view.width, 0.25)
    near((125 - view.y) / view.height, 0.25)
  })

  it('never loses the picture, nor its proportions', () => {
    const step = fc.record({
      factor: fc.constantFrom(0.5, 0.8, 1.25, 3),
      x: fc.integer({ min: -2_000, max: 2_000 }),
      y: fc.integer({ min: -2_000, max: 2_000 }),
    })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const view = steps.reduce(
          (at, { factor, x, y }) => zoomed(moved(at, x, y, whole), factor, { x, y }, whole),
          whole,
        )
        assert.ok(view.width >= whole.width / 6 - 1e-6 && view.width <= whole.width * 2 + 1e-6)
        assert.ok(Math.abs(view.width / view.height - 2) < 1e-6)
        const middleX = view.x + view.width / 2
        assert.ok(middleX >= -1e-6 && middleX <= whole.width + 1e-6)
      }),
    )
  })
})
