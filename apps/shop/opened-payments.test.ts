/** Payments and the provider, each in a host of its own, over real sockets and on real databases. */
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { defineApp } from '@flotilla/core/app'
import type { Calls } from '@flotilla/core/calls'
import { defineContract } from '@flotilla/core/contract'
import { findFreePort } from '@flotilla/core/free-port'
import type { Host } from '@flotilla/core/host'
import { defineService } from '@flotilla/core/service'
import { openTestApp } from '@flotilla/core/test-app'
import type { TestDatabase } from '@flotilla/core/test-database'
import { payments } from './contracts/payments.ts'
import { paymentsService } from './payments/service.ts'
import {
  type OpenedProvider,
  openProvider,
  PROVIDER_KEY,
  WEBHOOK_SECRET,
} from './provider/opened-provider.test.ts'

const folder = join(import.meta.dirname, '..')
/** Stands in for the one who pays. */
const ordersService = defineService({
  contract: defineContract({ name: 'orders', version: 1, summary: '', operations: {} }),
  open: () => ({}),
})
const paymentsApp = defineApp({
  name: 'shop',
  folder,
  services: { payments: async () => paymentsService, orders: async () => ordersService },
})
const admin = { id: 'the-admin', roles: ['admin'], scopes: [], tier: 'free' }
const customer = { id: 'a-customer', roles: ['customer'], scopes: [], tier: 'free' }

/** One deadline for all calls of a test; each operation has a shorter one of its own. */
const TEST_MS = 300_000

type Environment = Readonly<Record<string, string>>

/** An instance of payments. */
export interface OpenedPayments {
  readonly database: TestDatabase
  readonly host: Host
  /** As the orders service. */
  readonly orders: Calls<typeof payments>
  readonly admin: Calls<typeof payments>
  readonly customer: Calls<typeof payments>
  readonly webhookUrl: string
}

/** Opens an instance; on `shared`'s database, if given. */
export async function openPayments(
  t: TestContext,
  providerPort: number,
  environment: Environment = {},
  shared?: OpenedPayments,
): Promise<OpenedPayments> {
  const app = await openTestApp(t, {
    app: paymentsApp,
    placement: 'one process',
    environment: {
      PAYMENTS_PROVIDER_URL: `http://127.0.0.1:${providerPort}`,
      PAYMENTS_PROVIDER_KEY: PROVIDER_KEY,
      PAYMENTS_WEBHOOK_SECRET: WEBHOOK_SECRET,
      PAYMENTS_PROVIDER_TIMEOUT_MS: '300',
      PAYMENTS_RESOLVE_MS: '20',
      PAYMENTS_RECONCILE_MS: '86400000',
      PAYMENTS_GRACE_MS: '0',
      ...(shared === undefined ? {} : { FLOTILLA_DATABASE_PAYMENTS: shared.database.url }),
      ...environment,
    },
  })
  const host = app.hostOf('payments')
  return {
    database: shared?.database ?? (app.databases.get('payments') as TestDatabase),
    host,
    orders: app.call(payments, { service: 'orders', timeoutMs: TEST_MS }),
    admin: app.call(payments, { user: admin, timeoutMs: TEST_MS }),
    customer: app.call(payments, { user: customer, timeoutMs: TEST_MS }),
    webhookUrl: `${host.http}/api/v1/payments/webhooks`,
  }
}

/** Both, knowing each other; the provider without webhooks unless `hasWebhooks`. */
export async function openBoth(
  t: TestContext,
  { hasWebhooks = false, environment = {} }: { hasWebhooks?: boolean; environment?: Environment } = {},
): Promise<{ shop: OpenedPayments; provider: OpenedProvider; port: number }> {
  const port = await findFreePort()
  const shop = await openPayments(t, port, environment)
  const provider = await openProvider(t, port, hasWebhooks ? { PROVIDER_WEBHOOK_URL: shop.webhookUrl } : {})
  return { shop, provider, port }
}

/** `amount` cents. */
export const euros = (amount: number) => ({ amount, currency: 'EUR' })

/** The input of an authorisation. */
export const attempt = (attemptId: string, paymentToken = 'tok_ok', amount = 1000) => ({
  attemptId,
  orderId: `order-of-${attemptId}`,
  userId: 'a-customer',
  amount: euros(amount),
  paymentToken,
})

/** What the provider did about an attempt, in order. */
export async function doneAt(provider: OpenedProvider, attemptId: string): Promise<string[]> {
  const rows = await provider.database.ask<{ what: string }>(
    `select l.kind || ' ' || l.amount as what from ledger l join charge c on c.id = charge_id
     where c.reference = $1 order by position`,
    [attemptId],
  )
  return rows.map(({ what }) => what)
}
