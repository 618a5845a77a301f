/**
 * Conditions under which mistakes show. Under each of them a shop without a mistake must be right.
 *
 * @module
 */
import {
  cancelTooLate,
  killPostgres,
  orderInTabs,
  orderWithBadCards,
  runOut,
  shareKeys,
  snoop,
  wakeUp,
} from './accidents.ts'
import type { Conditions } from './trial.ts'

const ORDERS = 15
const killAt = (place: string): Conditions => ({
  name: `kill -9 at ${place}`,
  orders: ORDERS,
  faults: { [place]: 'kill' },
})
const ZOMBIE = 'saga.after-step@checkout.reserveStock'

/** By name. */
export const conditions = {
  customers: { name: 'customers', orders: 40 },
  snooper: { name: 'somebody who reads others’ orders', orders: ORDERS, beside: snoop },
  sameKeys: { name: 'two customers with the same key', orders: ORDERS, beside: shareKeys },
  tabs: { name: 'one cart ordered in several tabs', orders: ORDERS, beside: orderInTabs },
  runningOut: {
    name: 'reservations that run out',
    orders: 30,
    environment: { INVENTORY_SWEEP_MS: '50' },
    beside: runOut,
  },
  tooLate: { name: 'a cancellation after the parcel left', orders: ORDERS, beside: cancelTooLate },
  zombie: {
    name: `stopped at ${ZOMBIE}, and going on`,
    orders: ORDERS,
    hasTwoOrders: true,
    faults: { [ZOMBIE]: 'stop' },
    beside: wakeUp(ZOMBIE),
  },
  slowProvider: {
    name: 'bad cards, and a provider that is slower than our patience',
    orders: 30,
    environment: {
      PROVIDER_PROFILE: 'realistic',
      PAYMENTS_PROVIDER_TIMEOUT_MS: '200',
      PAYMENTS_RESOLVE_MS: '100',
    },
    beside: orderWithBadCards,
  },
  powerCut: { name: 'kill -9 of all of PostgreSQL', orders: 30, beside: killPostgres },
  killBeforeAppend: killAt('relay.before-append@orders'),
  killInOrder: killAt('command.before-commit@orders.place'),
  killInReaction: killAt('group.before-commit@shipping'),
  killInSaga: killAt('saga.before-save@checkout.confirm'),
  killBeforeMail: killAt('outside.before-call@notifications.mail'),
} satisfies Readonly<Record<string, Conditions>>
