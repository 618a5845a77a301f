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
    provider: async () => (await import('./provider/service.ts')).providerService,
    identity: async () => (await import('./identity/service.ts')).identityService,
    mailbox: async () => (await import('./mailbox/service.ts')).mailboxService,
    auth: async () => (await import('./auth/service.ts')).authService,
    inventory: async () => (await import('./inventory/service.ts')).inventoryService,
    search: async () => (await import('./search/service.ts')).searchService,
    catalog: async () => (await import('./catalog/service.ts')).catalogService,
    coupons: async () => (await import('./coupons/service.ts')).couponsService,
    cart: async () => (await import('./cart/service.ts')).cartService,
    payments: async () => (await import('./payments/service.ts')).paymentsService,
    shipping: async () => (await import('./shipping/service.ts')).shippingService,
    orders: async () => (await import('./orders/service.ts')).ordersService,
    notifications: async () => (await import('./notifications/service.ts')).notificationsService,
    recommendations: async () => (await import('./recommendations/service.ts')).recommendationsService,
    gateway: async () => (await import('./gateway/service.ts')).gatewayService,
  },
  outside: [
    {
      service: 'provider',
      port: 8070,
      tells: [
        { service: 'payments', field: 'providerUrl', value: 'http://127.0.0.1:{port}' },
        {
          service: 'provider',
          field: 'webhookUrl',
          value: 'http://127.0.0.1:{gateway}/api/v1/payments/webhooks',
        },
      ],
    },
    {
      service: 'identity',
      port: 8060,
      tells: [
        { service: 'auth', field: 'demoProviderUrl', value: 'http://127.0.0.1:{port}' },
        { service: 'auth', field: 'gatewayUrl', value: 'http://127.0.0.1:{gateway}' },
        {
          service: 'identity',
          field: 'redirectUri',
          value: 'http://127.0.0.1:{gateway}/api/v1/auth/oidc/demo/callback',
        },
      ],
    },
    {
      service: 'mailbox',
      port: 8025,
      tells: [{ service: 'notifications', field: 'smtpUrl', value: 'smtp://127.0.0.1:{port}' }],
    },
  ],
  secrets: [
    { service: 'auth', field: 'demoProviderSecret', name: 'demo login' },
    { service: 'identity', field: 'clientSecret', name: 'demo login' },
    { service: 'auth', field: 'sealingKey' },
    { service: 'payments', field: 'providerKey', name: 'provider key' },
    { service: 'provider', field: 'apiKey', name: 'provider key' },
    { service: 'payments', field: 'webhookSecret', name: 'provider webhooks' },
    { service: 'provider', field: 'webhookSecret', name: 'provider webhooks' },
  ],
  logins: [
    { email: 'admin@shop.test', field: 'adminPassword' },
    { email: 'demo@shop.test', field: 'demoPassword' },
  ],
})
