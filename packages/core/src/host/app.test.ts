import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defineContract } from '../contract/contract.ts'
import type { Service } from '../service/definition.ts'
import { defineService } from '../service/definition.ts'
import { defineApp, inOrderOfNeed, loadServices } from './app.ts'

const named = (name: string, calls: readonly Service[] = []): Service =>
  defineService({
    contract: defineContract({ name, version: 1, summary: 'Exists.', operations: {} }),
    calls: calls.map(({ contract }) => contract),
    open: () => ({}),
  })

const stock = named('stock')
const orders = named('orders', [stock])
const cart = named('cart', [orders])
const names = (services: readonly Service[]): string[] => services.map(({ contract }) => contract.name)

describe('inOrderOfNeed', () => {
  it('puts callees first', () => {
    assert.deepEqual(names(inOrderOfNeed([cart, orders, stock])), ['stock', 'orders', 'cart'])
    assert.deepEqual(names(inOrderOfNeed([cart, stock])), ['cart', 'stock'])
  })

  it('ends on a circle', () => {
    const other = named('stock', [orders])
    assert.deepEqual(names(inOrderOfNeed([orders, other])).sort(), ['orders', 'stock'])
  })
})

describe('loadServices', () => {
  const app = defineApp({
    name: 'shop',
    folder: '.',
    services: { stock: async () => stock, basket: async () => cart },
  })

  it('loads only what is named', async () => {
    assert.deepEqual(names(await loadServices(app, ['stock'])), ['stock'])
  })

  it('refuses a name that the app does not have, or that the service does not bear', async () => {
    await assert.rejects(loadServices(app, ['constructor']), /no service constructor; it has stock, basket/)
    await assert.rejects(loadServices(app, ['basket']), { code: 'failed_precondition' })
  })
})
