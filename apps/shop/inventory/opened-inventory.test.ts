/**
 * The inventory as orders and admins see it, for the tests of this folder.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { defineApp } from '@flotilla/core/app'
import type { Calls } from '@flotilla/core/calls'
import { defineContract } from '@flotilla/core/contract'
import { defineService } from '@flotilla/core/service'
import { openTestApp } from '@flotilla/core/test-app'
import type { TestDatabase } from '@flotilla/core/test-database'
import { inventory } from '../contracts/inventory.ts'
import { inventoryService } from './service.ts'

/** The app's folder. */
export const folder = join(import.meta.dirname, '..', '..')

/** Stands in for one who asks. */
function caller(name: string) {
  return defineService({
    contract: defineContract({ name, version: 1, summary: '', operations: {} }),
    open: () => ({}),
  })
}

const app = defineApp({
  name: 'shop',
  folder,
  services: {
    inventory: async () => inventoryService,
    catalog: async () => caller('catalog'),
    orders: async () => caller('orders'),
  },
})
/** Calls may be made so long after opening: the time for a test, not for a call. */
const TEST_MS = 120_000
/** Whom counts are booked for. */
export const admin = { id: 'the-admin', roles: ['admin'], scopes: [], tier: 'free' }
const customer = { id: 'a-customer', roles: ['customer'], scopes: [], tier: 'free' }

/** An inventory that is open. */
export interface OpenedInventory {
  readonly database: TestDatabase
  /** As an admin. */
  readonly calls: Calls<typeof inventory>
  /** As a customer. */
  readonly foreign: Calls<typeof inventory>
  readonly fromCatalog: Calls<typeof inventory>
  readonly fromOrders: Calls<typeof inventory>
}

/** Opens the inventory for one test. */
export async function openInventory(
  t: TestContext,
  environment: Readonly<Record<string, string>> = {},
  isSeeded = false,
): Promise<OpenedInventory> {
  const { call, databases } = await openTestApp(t, { app, placement: 'one process', isSeeded, environment })
  return {
    database: databases.get('inventory') as TestDatabase,
    calls: call(inventory, { user: admin, timeoutMs: TEST_MS }),
    foreign: call(inventory, { user: customer }),
    fromCatalog: call(inventory, { service: 'catalog' }),
    fromOrders: call(inventory, { service: 'orders', timeoutMs: TEST_MS }),
  }
}

/** Fails unless movements, reservations and stock tell the same. */
export async function assertBalanced({ ask }: TestDatabase): Promise<void> {
  const wrong = await ask(`
    with moved as (
      select sku, sum(on_hand_delta)::int as on_hand, sum(reserved_delta)::int as reserved, count(*)::int as movements,
        max(version) as version from movement group by sku
    ), kept as (
      select sku, sum(quantity)::int as active from reservation_line join reservation using (order_id)
      where state = 'active' group by sku
    )
    select stock.*, moved.on_hand as moved_on_hand, moved.reserved as moved_reserved, active
    from stock left join moved using (sku) left join kept using (sku)
    where (stock.on_hand, stock.reserved, stock.version, stock.version)
        is distinct from (moved.on_hand, moved.reserved, moved.movements, moved.version)
      or stock.reserved <> coalesce(active, 0) or available < 0`)
  assert.deepEqual(wrong, [])
}

/** Fails unless every movement was told, and what was told last is so. */
export async function assertTold({ ask }: TestDatabase): Promise<void> {
  const untold = await ask(`
    select sku, version from movement
    except all select event -> 'data' ->> 'sku', (event -> 'data' ->> 'version')::int from flotilla.outbox`)
  assert.deepEqual(untold, [])
  const wrong = await ask(`
    select stock.*, data from stock join (
      select event -> 'data' as data from flotilla.outbox where event ->> 'type' = 'inventory.stockChanged'
    ) told on data ->> 'sku' = sku and (data ->> 'version')::int = version
    where (data ->> 'onHand', data ->> 'reserved', data ->> 'available')
      <> (on_hand::text, reserved::text, available::text)`)
  assert.deepEqual(wrong, [])
}
