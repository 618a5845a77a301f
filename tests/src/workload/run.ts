/**
 * A workload: many seeded visits of customers, some at the same time, through the shop's HTTP API and nothing else.
 *
 * What each visit wants follows from the seed and its number; how visits fall between one another does not.
 *
 * @module
 */
import { seededRandom } from '@flotilla/core/random'
import type { Ask } from '../shop-client.ts'
import { Careful, type RequestTally } from './careful.ts'
import { type Customer, logIn, type Member, openAccount } from './customers.ts'
import type { Journal } from './journal.ts'
import { type OrderTally, visit } from './session.ts'
import { disturb, fillShelf } from './shelf.ts'

/** What to run. */
export interface WorkloadOptions {
  readonly api: Ask
  readonly admin: { readonly email: string; readonly password: string }
  readonly seed: number
  /** Ends when so many were accepted. */
  readonly orders: number
  /** Visits at the same time. */
  readonly concurrency: number
  readonly journal: Journal
  /** Given before the first visit: it changes as the workload goes on. */
  readonly onStart?: (tally: Tally) => void
  /** Ends it after the visits that are under way. */
  readonly signal?: AbortSignal
}

/** Counts of orders and of requests. */
export interface Tally {
  readonly orders: OrderTally
  readonly requests: RequestTally
}

/** Those who are not there have their last order carried out meanwhile: until then their cart cannot be ordered again. */
const CUSTOMERS_PER_VISIT = 4
/** Accounts that are made at the same time: passwords are hashed slowly, on purpose. */
const ACCOUNTS_AT_ONCE = 4
/** An administrator does something about every so many orders. */
const ORDERS_PER_DISTURBANCE = 20
/** More sessions than this for each order that is wanted: the shop does not sell. */
const SESSIONS_PER_ORDER_MAX = 10

/** Runs it. @throws Error when the shop accepts hardly anything. */
export async function runWorkload(options: WorkloadOptions): Promise<Tally> {
  const { api, seed, orders: wanted, concurrency, journal, signal } = options
  const careful = new Careful(api, journal)
  const random = seededRandom(seed)
  const { user, accessToken } = await logIn(careful, random, options.admin)
  const admin: Member = { ...options.admin, userId: user.id, token: accessToken }
  const shelf = await fillShelf(careful, admin, random, wanted)
  const idle = await openAccounts(careful, journal, seed, concurrency * CUSTOMERS_PER_VISIT)
  const tally: OrderTally = {
    orders: 0,
    confirmed: 0,
    rejected: 0,
    cancelled: 0,
    left: 0,
    refused: 0,
    cancellations: 0,
    refunds: 0,
  }
  const all: Tally = { orders: tally, requests: careful.tally }
  options.onStart?.(all)
  let sessions = 0
  let disturbances = 0
  const worker = async (): Promise<void> => {
    while (tally.orders < wanted && signal?.aborted !== true) {
      if (++sessions > (wanted + concurrency) * SESSIONS_PER_ORDER_MAX) {
        throw new Error(`${sessions} visits made ${tally.orders} orders`)
      }
      const own = seededRandom(seed + sessions * 7_919)
      // One visit at a time: who was away longest.
      const customer = idle.shift() as Customer
      await visit({ careful, random: own, customer, admin, shelf, tally })
      idle.push(customer)
      if (tally.orders / ORDERS_PER_DISTURBANCE > disturbances) {
        disturbances++
        await disturb(careful, admin, own, shelf, wanted)
      }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return all
}

async function openAccounts(
  careful: Careful,
  journal: Journal,
  seed: number,
  count: number,
): Promise<Customer[]> {
  const customers: Customer[] = []
  let begun = 0
  const worker = async (): Promise<void> => {
    while (begun < count) {
      const own = seededRandom(seed ^ (++begun * 104_729))
      customers.push(await openAccount(careful, journal, own))
    }
  }
  await Promise.all(Array.from({ length: ACCOUNTS_AT_ONCE }, worker))
  return customers
}
