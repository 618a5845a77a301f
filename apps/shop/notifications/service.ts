/**
 * Notifications: what users are told by mail, once for each order and occasion.
 *
 * @module
 */
import type { EventType } from '@flotilla/core/event'
import { on } from '@flotilla/core/reaction'
import { Id, type Static, type TSchema, Type } from '@flotilla/core/schema'
import { defineService, type Reaction } from '@flotilla/core/service'
import { CursorTime, type Position, readCursor, writeCursor } from '../contracts/cursor.ts'
import { notifications } from '../contracts/notifications.ts'
import { orders } from '../contracts/orders.ts'
import { shipping } from '../contracts/shipping.ts'
import { findDead, findMails, type Mail, noteMail, reviveMail } from './mail-store.ts'
import { sendMails } from './sender.ts'
import { openPost } from './smtp.ts'
import {
  cancelledMail,
  confirmedMail,
  deliveredMail,
  expiredMail,
  refundedMail,
  rejectedMail,
  shippedMail,
} from './templates.ts'

const LIMIT_DEFAULT = 20

/** A mail for every event of a type. */
function tell<D extends TSchema>(type: EventType<D>, mailOf: (data: Static<D>) => Mail): Reaction {
  return on(type, ({ data }, { tx, log }) => {
    const mail = mailOf(data)
    noteMail(tx, mail)
    tx.afterCommit(() => log.info('mail to send', { order_id: mail.orderId, template: mail.template }))
  })
}

/** The notifications of the shop. */
export const notificationsService = defineService({
  contract: notifications,
  database: { migrations: 'notifications/migrations' },
  config: Type.Object({
    smtpUrl: Type.String({
      default: '',
      description: 'mail server, smtp://host:port; empty: mails are kept and not sent',
    }),
    from: Type.String({ default: 'shop@shop.test', description: 'sender of mails' }),
    sendMs: Type.Integer({
      minimum: 10,
      default: 250,
      description: 'milliseconds between two looks for mails to send',
    }),
  }),
  reactions: [
    tell(orders.events.confirmed, confirmedMail),
    tell(orders.events.rejected, rejectedMail),
    tell(orders.events.expired, expiredMail),
    tell(orders.events.cancelled, cancelledMail),
    tell(orders.events.refunded, refundedMail),
    tell(shipping.events.shipped, shippedMail),
    tell(shipping.events.delivered, deliveredMail),
  ],
  open({ config, every, closing, clock, outsidePeer }) {
    if (config.smtpUrl !== '') {
      const post = openPost(config.smtpUrl, config.from, { clock, outsidePeer })
      closing.defer('mail connections', async () => post.close())
      every('send mails', config.sendMs, (ctx) => sendMails(ctx, post))
    }
    return {
      async list({ limit = LIMIT_DEFAULT, cursor }, ctx) {
        const list: Position = ['notifications', ctx.user.id]
        const after =
          cursor === undefined ? undefined : readCursor(list, Type.Tuple([CursorTime, Id]), cursor)
        if (cursor !== undefined && after === undefined) throw ctx.fail('bad_cursor')
        const found = await findMails(ctx.db, ctx.user.id, after, limit + 1)
        const items = found.slice(0, limit)
        const last = found.length > limit ? items.at(-1) : undefined
        return { items, nextCursor: last === undefined ? null : writeCursor(list, [last.createdAt, last.id]) }
      },
      dead: async ({ limit = LIMIT_DEFAULT }, ctx) => ({ items: await findDead(ctx.db, limit) }),
      retry: ({ id }, ctx) =>
        ctx.commit(async (tx) => {
          if (!(await reviveMail(tx, id))) throw ctx.fail('no_mail')
          return {}
        }),
    }
  },
})
