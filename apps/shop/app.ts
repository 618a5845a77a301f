/**
 * The shop: the list of its services.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import { defineApp } from '@flotilla/core/app'

/** The app. Loaded from `dist/` or `bundle/`, which lie side by side in its folder. */
export const app = defineApp({
  name: 'shop',
  folder: fileURLToPath(new URL('..', import.meta.url)),
  services: {
    registry: async () => (await import('@flotilla/control/directory')).registryService,
    search: async () => (await import('./search/service.ts')).searchService,
    catalog: async () => (await import('./catalog/service.ts')).catalogService,
    gateway: async () => (await import('./gateway/service.ts')).gatewayService,
  },
  logins: [
    { email: 'admin@shop.test', field: 'adminPassword' },
    { email: 'demo@shop.test', field: 'demoPassword' },
  ],
})
