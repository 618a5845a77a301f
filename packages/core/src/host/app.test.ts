import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defineContract } from '../contract/contract.ts'
import type { Service } from '../service/definition.ts'
import { defineService } from '../service/definition.ts'
import { decideSettings, defineApp, inOrderOfNeed, loadServices } from './app.ts'

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

describe('decideSettings', () => {
  const settingsOf = (app: Omit<Parameters<typeof defineApp>[0], 'name' | 'folder'>) => {
    let made = 0
    const secrets = new Map<string, string>()
    return decideSettings(defineApp({ name: 'shop', folder: '.', ...app }), {
      gatewayPort: 8080,
      outsidePorts: { provider: 8070 },
      secretOf(name) {
        const secret = secrets.get(name) ?? `secret ${++made}`
        secrets.set(name, secret)
        return secret
      },
    })
  }
  const services = { payments: async () => stock, provider: async () => stock }

  it('gives two services one secret when they name the same, and everybody else their own', () => {
    const secrets = [
      { service: 'payments', field: 'providerKey', name: 'key' },
      { service: 'provider', field: 'apiKey', name: 'key' },
      { service: 'payments', field: 'key' },
      { service: 'provider', field: 'key' },
    ]
    assert.deepEqual(settingsOf({ services, secrets }), {
      payments: { providerKey: 'secret 1', key: 'secret 2' },
      provider: { apiKey: 'secret 1', key: 'secret 3' },
    })
  })

  it('tells an outside service its port, and whom it concerns what follows from ports', () => {
    const tells = [
      { service: 'payments', field: 'providerUrl', value: 'http://127.0.0.1:{port}' },
      { service: 'provider', field: 'webhookUrl', value: 'http://127.0.0.1:{gateway}/hooks' },
    ]
    assert.deepEqual(settingsOf({ services, outside: [{ service: 'provider', port: 1, tells }] }), {
      payments: { providerUrl: 'http://127.0.0.1:8070' },
      provider: { port: '8070', webhookUrl: 'http://127.0.0.1:8080/hooks' },
    })
  })

  it('decides nothing for an app without either', () => {
    assert.deepEqual(settingsOf({ services }), {})
  })
})
