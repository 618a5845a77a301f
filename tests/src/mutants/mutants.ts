/**
 * Mistakes that somebody could make, each in one place, and the conditions under which it must be seen.
 *
 * @module
 */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of sources
import { conditions } from './conditions.ts'
import type { Patch } from './copy.ts'
import type { Conditions } from './trial.ts'

/** A mistake. */
export interface Mutant extends Patch {
  readonly name: string
  /** What is wrong with it. */
  readonly says: string
  readonly under: Conditions | TestFile
}

/** A test beside the code, where a running shop shows too little, because several things prevent what would follow. */
export interface TestFile {
  readonly name: string
  /** What it is built to, from the root of the repository. */
  readonly built: string
}

const testFile = (built: string): TestFile => ({ name: built.replace('/dist/', '/…/'), built })

const CORE = 'packages/core/src'
const SHOP = 'apps/shop'
const { customers } = conditions

/** In the way of events. */
const events: readonly Mutant[] = [
  {
    name: 'naive-outbox-cursor',
    says: 'the relay goes on from the last id it has seen',
    under: testFile('packages/control/dist/event-log/relay.test.js'),
    file: `${CORE}/events/relay.ts`,
    find: 'select id, event from flotilla.outbox where id <> all(${ids}::bigint[])',
    replace:
      'select id, event from flotilla.outbox where id > ${(globalThis.last = Math.max(globalThis.last ?? 0, ...ids))}',
  },
  {
    name: 'delete-before-append',
    says: 'the relay deletes events, then sends them',
    under: conditions.killBeforeAppend,
    file: `${CORE}/events/relay.ts`,
    find: "crashpoint('relay.before-append', service)\n      await eventLog.append(\n        service,\n        fencing,\n        rows.map(({ event }) => event),\n      )\n      crashpoint('relay.after-append', service)\n      const sent = rows.length\n      rows = await this.#next(rows, fencing)",
    replace:
      "const [sent, events] = [rows.length, rows.map(({ event }) => event)]\n      rows = await this.#next(rows, fencing)\n      crashpoint('relay.before-append', service)\n      await eventLog.append(service, fencing, events)",
  },
  {
    name: 'publish-outside-transaction',
    says: 'an event is written down at once, whatever becomes of its transaction',
    under: conditions.killInOrder,
    file: `${CORE}/service/call-scope.ts`,
    find: 'await outbox.publish(tx, type,',
    replace:
      'const alone = { send: (query) => void this.db.execute(query), afterCommit: (tell) => tx.afterCommit(tell) }\n    await outbox.publish(alone, type,',
  },
  {
    name: 'ack-before-commit',
    says: 'a group moves on before its reactions are committed',
    under: conditions.killInReaction,
    file: `${CORE}/events/handling.ts`,
    find: 'assignment.move(tx, upTo),\n      notYetHandled',
    replace: 'this.#transaction((own) => assignment.move(own, upTo)),\n      notYetHandled',
  },
  {
    name: 'inbox-outside-transaction',
    says: 'events are noted as handled in a transaction of its own',
    under: conditions.killInReaction,
    file: `${CORE}/events/handling.ts`,
    find: 'notYetHandled(tx, name, events),',
    replace: 'this.#transaction((own) => notYetHandled(own, name, events)),',
  },
]

/** In sagas, and in the memory of commands. */
const commands: readonly Mutant[] = [
  {
    name: 'saga-no-fencing',
    says: 'a saga moves on whoever says so',
    under: conditions.zombie,
    file: `${CORE}/saga/rows.ts`,
    find: "where id = ${claimed.id} and status = 'running' and owner = ${worker} and fencing = ${claimed.fencing}\n        and step = ${claimed.step} and direction = ${claimed.direction} and attempts = ${claimed.attempts}\n      returning",
    replace: 'where id = ${claimed.id}\n      returning',
  },
  {
    name: 'saga-save-apart',
    says: 'a saga moves on in a transaction of its own, before its effects',
    under: conditions.killInSaga,
    file: `${CORE}/saga/runner.ts`,
    find: 'const [isMoved] = await Promise.all([moveSaga(tx, move), effects(tx, ctx)])',
    replace: 'const isMoved = await moveSaga(ctx.db, move)\n            await effects(tx, ctx)',
  },
  {
    name: 'compensation-skipped',
    says: 'the stock of an order that came to nothing is not given back',
    under: customers,
    file: `${SHOP}/orders/checkout-saga.ts`,
    find: "async undo(_, ctx) {\n      await ctx.call(inventory).release({ orderId: ctx.sagaId, reason: 'the order came to nothing' })\n      return undefined\n    },\n  })\n  .step('takeCoupon'",
    replace: "async undo() {\n      return undefined\n    },\n  })\n  .step('takeCoupon'",
  },
  {
    name: 'key-of-anybody',
    says: 'idempotency keys are not those of a user',
    under: conditions.sameKeys,
    file: `${CORE}/service/idempotency.ts`,
    find: 'const scope = `${principalOf(context)} ${operation}`',
    replace: 'const scope = operation',
  },
  {
    name: 'answer-apart',
    says: 'the answer to a key is stored after the commit of its effect',
    under: testFile('packages/core/dist/service/idempotency.test.js'),
    file: `${CORE}/service/operation-scope.ts`,
    find: 'await claim?.complete(tx, { output: answer })',
    replace: 'if (claim !== undefined) tx.afterCommit(() => claim.complete(this.db, { output: answer }))',
  },
  {
    name: 'no-version-check',
    says: 'an aggregate takes events whatever version was loaded',
    under: testFile('packages/core/dist/views/aggregate.test.js'),
    file: 'packages/core/migrations/0004-aggregate.sql',
    find: 'if coalesce(last_version, 0) = after_version then',
    replace: 'after_version := coalesce(last_version, 0);\n  if true then',
  },
]

/** In the shop. */
const shop: readonly Mutant[] = [
  {
    name: 'stock-read-then-write',
    says: 'stock is read, and then written from what was read',
    under: customers,
    file: `${SHOP}/inventory/movements.ts`,
    find: 'const stock = await bookMovement(tx, movement)',
    replace:
      'const [seen] = await tx.many(sql`select * from stock where sku = ${movement.sku}`)\n    const stock = await bookMovement(tx, movement)\n    if (stock !== undefined) await tx.execute(sql`update stock set on_hand = ${seen.on_hand + movement.onHandDelta},\n      reserved = ${seen.reserved + movement.reservedDelta} where sku = ${movement.sku}`)',
  },
  {
    name: 'expiry-and-commit-both',
    says: 'a reservation expires although it was committed meanwhile',
    under: testFile('apps/shop/dist/inventory/reservations.test.js'),
    file: `${SHOP}/inventory/reservation-store.ts`,
    find: 'order by expires_at limit ${limit} for update skip locked',
    replace: 'order by expires_at limit ${limit}',
  },
  {
    name: 'commit-without-goods',
    says: 'an expired reservation is committed without taking its goods again',
    under: conditions.runningOut,
    file: `${SHOP}/inventory/end-reservation.ts`,
    find: 'const sale = (quantity: number) => ({ onHandDelta: -quantity, reservedDelta: 0, needs: quantity })',
    replace: 'if (expired.length > 0) return {}',
  },
  {
    name: 'timeout-is-decline',
    says: 'no answer of the provider is taken for a no',
    under: conditions.slowProvider,
    file: `${SHOP}/payments/provider-client.ts`,
    find: 'if (isUnknown(answer)) return answer\n    const { status } = answer',
    replace:
      "if (isUnknown(answer)) return { kind: 'refusal', code: 'timeout', charge: undefined }\n    const { status } = answer",
  },
  {
    name: 'new-key-per-try',
    says: 'every try has a key of its own at the provider',
    under: conditions.slowProvider,
    file: `${SHOP}/payments/provider-client.ts`,
    find: 'asking, JSON.stringify(body), id)',
    replace: 'asking, JSON.stringify(body), `${id} ${operation.tries}`)',
  },
  {
    name: 'confirm-before-money',
    says: 'an order is confirmed although nobody knows about its money',
    under: conditions.slowProvider,
    file: `${SHOP}/orders/checkout-saga.ts`,
    find: "if (payment.status !== 'processing') {",
    replace: 'if (true) {',
  },
  {
    name: 'cancel-and-ship-both',
    says: 'an order is stopped although a parcel has left',
    under: conditions.tooLate,
    file: `${SHOP}/shipping/shipment-store.ts`,
    find: "on conflict (order_id) do update set fate = 'stopped' where fulfilment.fate <> 'shipped'`)",
    replace: "on conflict (order_id) do update set fate = 'stopped'`)",
  },
  {
    name: 'orders-of-others',
    says: 'an order is shown to whoever knows its id',
    under: conditions.snooper,
    file: `${SHOP}/orders/order-store.ts`,
    find: 'return loaded.version > 0 && loaded.state.userId === userId ? loaded : undefined',
    replace: 'return loaded.version > 0 ? loaded : undefined',
  },
  {
    name: 'rounded-per-unit',
    says: 'the discount is rounded for each piece',
    under: customers,
    file: `${SHOP}/orders/totals.ts`,
    find: 'const off = discounts[index] as number',
    replace: 'const off = Math.round((discounts[index] as number) / line.quantity) * line.quantity',
  },
  {
    name: 'two-orders-of-a-cart',
    says: 'nothing but a look keeps a cart from being ordered twice',
    under: conditions.tabs,
    file: `${SHOP}/orders/migrations/0001-orders.sql`,
    find: 'create unique index order_once_per_cart',
    replace: 'create index order_once_per_cart',
  },
  {
    name: 'mail-booked-before-sent',
    says: 'a mail counts as sent before it is',
    under: conditions.killBeforeMail,
    file: `${SHOP}/notifications/sender.ts`,
    find: "crashpoint('outside.before-call', 'notifications', 'mail')",
    replace: "await bookSent(ctx.db, mail)\n    crashpoint('outside.before-call', 'notifications', 'mail')",
  },
  {
    name: 'password-in-log',
    says: 'a log line tells what was typed',
    under: customers,
    file: `${SHOP}/auth/logging-in.ts`,
    find: 'const account = await checkPassword(passwords, email, password, ctx)',
    replace:
      "ctx.log.info('somebody logs in', { typed, input: `${password}` })\n      const account = await checkPassword(passwords, email, password, ctx)",
  },
  {
    name: 'commits-not-on-disk',
    says: 'PostgreSQL acknowledges commits before they are on disk',
    under: conditions.powerCut,
    file: 'packages/control/src/postgres/settings.ts',
    find: "synchronous_commit: 'on'",
    replace: "synchronous_commit: 'off'",
  },
]

/** Of which others keep the worst from a running shop. */
const beside: readonly Mutant[] = [
  {
    name: 'no-inbox',
    says: 'an event that is told twice is handled twice',
    under: testFile('packages/control/dist/event-log/consumers.test.js'),
    file: `${CORE}/events/inbox.ts`,
    find: 'return events.filter(({ event }) => fresh.delete(event.id))',
    replace: 'return events',
  },
  {
    name: 'parked-order-ignored',
    says: 'later events of a key pass the one that failed',
    under: testFile('packages/control/dist/event-log/poison.test.js'),
    file: `${CORE}/events/inbox.ts`,
    find: 'return new Set(rows.map(({ key }) => key))',
    replace: 'return new Set<string>()',
  },
  {
    name: 'fingerprint-not-compared',
    says: 'a key answers whatever is asked with it',
    under: testFile('packages/core/dist/service/idempotency.test.js'),
    file: `${CORE}/service/idempotency.ts`,
    find: 'if (row !== undefined && !fingerprint.equals(row.fingerprint)) {',
    replace: 'if (row === null) {',
  },
  {
    name: 'coupon-check-then-take',
    says: 'the limits of a coupon are looked at, and then it is taken',
    under: testFile('apps/shop/dist/coupons/coupons.test.js'),
    file: `${SHOP}/coupons/use-coupon.ts`,
    find: 'await lockCoupon(tx, code)\n    const present',
    replace: 'const present',
  },
]

/** All. */
export const mutants: readonly Mutant[] = [...shop, ...commands, ...events, ...beside]
