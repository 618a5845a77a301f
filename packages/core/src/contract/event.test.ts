import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defineContract } from './contract.ts'
import { event } from './event.ts'
import { Type } from './schema.ts'

const { events } = defineContract({
  name: 'shipping',
  version: 1,
  summary: 'Parcels.',
  operations: {},
  events: {
    shipped: event({
      version: 3,
      key: 'orderId',
      summary: 'A parcel left.',
      data: Type.Object({ orderId: Type.String(), weightG: Type.Integer(), carrier: Type.String() }),
      upcasts: {
        1: (old: { order: string; weightKg: number }) => ({
          orderId: old.order,
          weightG: old.weightKg * 1000,
        }),
        2: (old: object) => ({ ...old, carrier: 'post' }),
      },
    }),
  },
})

describe('an event of a contract', () => {
  it('is named after its contract', () => {
    assert.equal(events.shipped.id, 'shipping.shipped')
    assert.equal(events.shipped.service, 'shipping')
  })

  it('is checked as closed when published, and read as open', () => {
    const data = { orderId: 'o1', weightG: 5, carrier: 'post' }
    assert.equal(events.shipped.check(data), undefined)
    assert.deepEqual(events.shipped.check({ ...data, x: 1 }), [
      { pointer: '/x', message: 'is not a known field' },
    ])
    assert.deepEqual(events.shipped.read(3, { ...data, x: 1 }), { ...data, x: 1 })
  })

  it('is upcast step by step', () => {
    const read = events.shipped.read(1, { order: 'o1', weightKg: 2 })
    assert.deepEqual(read, { orderId: 'o1', weightG: 2000, carrier: 'post' })
    assert.deepEqual(events.shipped.read(2, { orderId: 'o1', weightG: 7 }), {
      orderId: 'o1',
      weightG: 7,
      carrier: 'post',
    })
  })

  it('is refused when it is newer, unknown or does not fit', () => {
    for (const version of [0, 4, 1.5]) {
      assert.throws(() => events.shipped.read(version, {}), { code: 'internal', message: /cannot be read/ })
    }
    assert.throws(() => events.shipped.read(3, { orderId: 1 }), /weightG/)
  })

  it('has no upcast of a version that never was', () => {
    const wrong = event({
      version: 1,
      key: 'id',
      summary: 'x',
      data: Type.Object({ id: Type.String() }),
      upcasts: { 1: () => ({}) },
    })
    assert.throws(
      () => defineContract({ name: 'a', version: 1, summary: 'x', operations: {}, events: { wrong } }),
      /event wrong has no version 1 to upcast/,
    )
  })
})
