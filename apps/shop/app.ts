/**
 * The shop: the list of its services.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import { defineApp } from '@flotilla/core/app'

/** The app. Its folder is found by the package's name: this code may run from a bundle. */
export const app = defineApp({
  name: 'shop',
  folder: fileURLToPath(new URL('.', import.meta.resolve('@flotilla/shop/package.json'))),
  services: {
    registry: async () => (await import('@flotilla/control/directory')).registryService,
    events: async () => (await import('@flotilla/control/event-log')).eventLogService,
    auth: async () => (await import('./auth/service.ts')).authService,
    inventory: async () => (await import('./inventory/service.ts')).inventoryService,
    search: async () => (await import('./search/service.ts')).searchService,
    catalog: async () => (await import('./catalog/service.ts')).catalogService,
    coupons: async () => (await import('./coupons/service.ts')).couponsService,
    cart: async () => (await import('./cart/service.ts')).cartService,
    gateway: async () => (await import('./gateway/service.ts')).gatewayService,
  },
  secrets: [{ service: 'auth', field: 'sealingKey' }],
  logins: [
    { email: 'admin@shop.test', field: 'adminPassword' },
    { email: 'demo@shop.test', field: 'demoPassword' },
  ],
})
