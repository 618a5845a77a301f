import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Known, type Step, transform as transformAs } from './transform.ts'

const order = { id: 'o1', lines: [{ sku: 'a', price: 1 }, { sku: 'b' }], note: { text: 'x' } }

const known: Known = {
  user: { id: 'u1', roles: ['user'], scopes: [], tier: 'gold' },
  address: '10.0.0.1',
  requestId: 'r1',
}
const transform = (steps: readonly Step[], value: unknown): unknown => transformAs(steps, value, known)

describe('transform', () => {
  it('tells what is known of the request, over whatever a client says', () => {
    const steps = (['user.id', 'user.roles', 'user.tier', 'address', 'requestId'] as const).map((of) => ({
      tell: { at: `/${of.replace('.', '_')}`, of },
    }))
    assert.deepEqual(transform(steps, { user_id: 'root', a: 1 }), {
      a: 1,
      user_id: 'u1',
      user_roles: ['user'],
      user_tier: 'gold',
      address: '10.0.0.1',
      requestId: 'r1',
    })
    const nobody = transformAs(steps.slice(0, 1), { user_id: 'root' }, { ...known, user: undefined })
    assert.deepEqual(nobody, { user_id: null })
  })

  it('does the steps in their order', () => {
    const steps: Step[] = [
      { rename: { at: '/lines/*/price', to: 'amount' } },
      { drop: '/note/text' },
      { add: { at: '/lines/*/currency', value: 'EUR' } },
      { rename: { at: '/id', to: 'orderId' } },
      { envelope: 'data' },
      { add: { at: '/meta', value: { version: 2 } } },
    ]
    assert.deepEqual(transform(steps, order), {
      data: {
        orderId: 'o1',
        lines: [
          { sku: 'a', amount: 1, currency: 'EUR' },
          { sku: 'b', currency: 'EUR' },
        ],
        note: {},
      },
      meta: { version: 2 },
    })
    assert.deepEqual(order.lines[0], { sku: 'a', price: 1 })
    assert.deepEqual(transform([{ unwrap: 'note' }, { unwrap: 'nothing' }], order), { text: 'x' })
  })

  it('reaches nothing but fields of the value', () => {
    const steps: Step[] = [
      { add: { at: '/__proto__/polluted', value: 1 } },
      { rename: { at: '/id', to: '__proto__' } },
    ]
    const its = transform(steps, order) as object
    assert.equal(({} as { polluted?: number }).polluted, undefined)
    assert.deepEqual(JSON.parse(JSON.stringify(its)).note, { text: 'x' })
    assert.equal(Object.getPrototypeOf(its), Object.prototype)
  })

  it('takes any value, and gives it back unchanged by an envelope put on and off', () => {
    const place = fc.constantFrom('/a', '/a/b', '/*/a', '/0', '/a/*/b')
    const step = fc.oneof(
      place.map((at): Step => ({ drop: at })),
      place.map((at): Step => ({ rename: { at, to: 'c' } })),
      place.map((at): Step => ({ add: { at, value: [1] } })),
    )
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(step, { maxLength: 4 }), (value, steps) => {
        const before = JSON.stringify(value)
        transform(steps, value)
        assert.equal(JSON.stringify(value), before)
        assert.deepEqual(transform([{ envelope: 'e' }, { unwrap: 'e' }], value), structuredClone(value))
      }),
    )
  })
})
