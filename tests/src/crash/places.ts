/**
 * Where the fleet is made to fail: every place that a scenario passes, under the shortest scenario that does. The campaign compares
 * the table with what was passed, both ways.
 *
 * @module
 */
import type { CrashPoint } from '@flotilla/core/crashpoint'
import type { ScenarioName } from './scenarios.ts'

type Table = { readonly [S in ScenarioName]: { readonly [P in CrashPoint]?: string } }

const CHECKOUT = [
  'checkout.reserveStock',
  'checkout.takeCoupon',
  'checkout.authorise',
  'checkout.commitStock',
  'checkout.confirm',
  'checkout.capture',
  'checkout.emptyCart',
].join(' ')
const UNDO = 'checkout.authorise.undo checkout.takeCoupon.undo checkout.reserveStock.undo'
const CANCEL = 'cancel.stopShipping cancel.releaseStock cancel.releaseCoupon cancel.giveMoneyBack'
const OWN =
  'cart.setItem cart.ordered coupons.take inventory.reserve inventory.commit orders.place payments.webhook'
const PROVIDER = 'provider.authorise provider.capture'
const GROUPS = 'notifications orders recommendations shipping'
const PUBLISHERS = 'inventory orders payments'
const OUTSIDE = 'notifications.mail payments.authorise payments.capture provider.webhook'
const PARCELS = 'shipping.pack shipping.ship shipping.deliver'
const CARRIER = 'shipping.packed shipping.shipped shipping.delivered'

const table: Table = {
  buy: {
    'command.after-claim': 'orders.place',
    'command.before-commit': `${OWN} ${PROVIDER}`,
    'command.after-commit': `${OWN} ${PROVIDER} mailbox.keep`,
    'outbox.after-commit': PUBLISHERS,
    'relay.before-append': PUBLISHERS,
    'relay.after-append': PUBLISHERS,
    'relay.after-delete': PUBLISHERS,
    'log.before-append': 'events',
    'log.after-append': 'events',
    'group.before-commit': GROUPS,
    'group.after-commit': GROUPS,
    'outside.before-call': OUTSIDE,
    'outside.after-call': OUTSIDE,
    'outside.after-record': OUTSIDE,
    'saga.after-start': 'checkout',
    'saga.before-step': CHECKOUT,
    'saga.after-step': CHECKOUT,
    'saga.before-save': CHECKOUT,
    'saga.after-save': CHECKOUT,
  },
  decline: {
    'command.before-commit': 'coupons.release inventory.release',
    'command.after-commit': 'coupons.release inventory.release',
    'saga.before-step': UNDO,
    'saga.after-step': UNDO,
    'saga.before-save': UNDO,
    'saga.after-save': UNDO,
  },
  refund: {
    'command.after-claim': 'orders.refund',
    'command.before-commit': 'orders.refund provider.refund',
    'command.after-commit': 'orders.refund provider.refund',
    'outside.before-call': 'payments.refund',
    'outside.after-call': 'payments.refund',
    'outside.after-record': 'payments.refund',
    'saga.after-start': 'refund',
    'saga.before-step': 'refund.refund',
    'saga.after-step': 'refund.refund',
    'saga.before-save': 'refund.refund',
    'saga.after-save': 'refund.refund',
  },
  abort: {
    'command.before-commit': 'orders.cancel provider.void',
    'command.after-commit': 'orders.cancel provider.void',
    'outside.before-call': 'payments.void',
    'outside.after-call': 'payments.void',
    'outside.after-record': 'payments.void',
    'saga.before-step': 'checkout.commitStock.undo',
    'saga.after-step': 'checkout.commitStock.undo',
    'saga.before-save': 'checkout.commitStock.undo',
    'saga.after-save': 'checkout.commitStock.undo',
  },
  cancel: {
    'command.before-commit': 'shipping.stop',
    'command.after-commit': 'shipping.stop',
    'saga.after-start': 'cancel',
    'saga.before-step': CANCEL,
    'saga.after-step': CANCEL,
    'saga.before-save': CANCEL,
    'saga.after-save': CANCEL,
  },
  handOver: {
    'command.before-commit': PARCELS,
    'command.after-commit': PARCELS,
    'outbox.after-commit': 'shipping',
    'relay.before-append': 'shipping',
    'relay.after-append': 'shipping',
    'relay.after-delete': 'shipping',
  },
  carry: {
    'task.before-commit': CARRIER,
    'task.after-commit': CARRIER,
  },
  expire: {
    'task.before-commit': 'inventory.sweep',
    'task.after-commit': 'inventory.sweep',
  },
  park: {
    'parked.before-commit': 'shipping',
    'parked.after-commit': 'shipping',
    'retry.before-commit': 'shipping',
    'retry.after-commit': 'shipping',
  },
}

/** A place, and how to get there. */
export interface Place {
  /** `<point>@<where>`. */
  readonly name: string
  /** Whose process passes it. */
  readonly service: string
  readonly scenario: ScenarioName
}

/** All places. */
export const places: readonly Place[] = Object.entries(table).flatMap(([scenario, points]) =>
  Object.entries(points).flatMap(([point, list]) =>
    list.split(' ').map((where) => ({
      name: `${point}@${where}`,
      service: point.startsWith('saga.') ? 'orders' : (where.split('.')[0] as string),
      scenario: scenario as ScenarioName,
    })),
  ),
)
