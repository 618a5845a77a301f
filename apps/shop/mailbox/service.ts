/**
 * The mail catcher. It stands for the world outside: services reach it by SMTP only, it is a process of its own wherever
 * the shop runs, and like a real mail host it recognises a mail that comes again.
 *
 * @module
 */
import { crashpoint } from '@flotilla/core/crashpoint'
import { Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { CursorTime, type Position, readCursor, writeCursor } from '../contracts/cursor.ts'
import { mailbox } from '../contracts/mailbox.ts'
import { findMessage, findMessages, keepMessage } from './message-store.ts'
import { openReceiver } from './smtp-receiver.ts'

const LIMIT_DEFAULT = 20
const KEEP_MS = 10_000
const ID_CHARS_MAX = 128

/** The mailbox of the shop's world. */
export const mailboxService = defineService({
  contract: mailbox,
  database: { migrations: 'mailbox/migrations' },
  config: Type.Object({
    host: Type.String({ default: '127.0.0.1', description: 'address to take mails on' }),
    port: Type.Integer({
      minimum: 0,
      maximum: 65_535,
      default: 8025,
      description: 'port to take mails on, by SMTP',
    }),
  }),
  async open({ config, run, closing, log }) {
    const receiver = await openReceiver({
      ...config,
      keep: async (message) => {
        await run('keep a mail', KEEP_MS, ({ db }) => keepMessage(db, message))
        crashpoint('command.after-commit', 'mailbox', 'keep')
        const { orderId: order_id } = message
        // What mails say of themselves may be anything.
        const isOrder = order_id !== null && order_id.length <= ID_CHARS_MAX
        if (isOrder) log.info('mail received', { order_id })
      },
    })
    closing.defer('mail receiver', () => receiver.close())
    log.info('takes mails', { port: receiver.port })
    return {
      async messages({ to = null, orderId = null, limit = LIMIT_DEFAULT, cursor }, ctx) {
        const list: Position = ['mailbox', to ?? '', orderId ?? '']
        const place = Type.Tuple([CursorTime, Type.String({ maxLength: 300 })])
        const after = cursor === undefined ? undefined : readCursor(list, place, cursor)
        if (cursor !== undefined && after === undefined) throw ctx.fail('bad_cursor')
        const found = await findMessages(ctx.db, { to, orderId }, after, limit + 1)
        const items = found.slice(0, limit)
        const last = found.length > limit ? items.at(-1) : undefined
        return {
          items,
          nextCursor: last === undefined ? null : writeCursor(list, [last.receivedAt, last.messageId]),
        }
      },
      async message({ messageId }, ctx) {
        const found = await findMessage(ctx.db, messageId)
        if (found === undefined) throw ctx.fail('no_message')
        return found
      },
    }
  },
})
