/**
 * The mail catcher: stands in for the mail hosts of the world, and shows what arrived.
 *
 * @module
 */
import { role } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { query } from '@flotilla/core/operation'
import { Page, paging, Time, Type } from '@flotilla/core/schema'

const MessageId = Type.String({ minLength: 1, maxLength: 300 })

const Head = {
  messageId: MessageId,
  /** How often it arrived; it is kept once. */
  receipts: Type.Integer({ minimum: 1 }),
  sender: Type.String(),
  recipients: Type.Array(Type.String()),
  subject: Type.String(),
  /** What a mail of the shop says it is about; null in others. */
  orderId: Type.Union([Type.String(), Type.Null()]),
  template: Type.Union([Type.String(), Type.Null()]),
  receivedAt: Time,
}

/** The mailbox contract. */
export const mailbox = defineContract({
  name: 'mailbox',
  version: 1,
  summary: 'A mail catcher for tries and tests.',
  operations: {
    messages: query({
      summary: 'Mails that arrived, the newest first.',
      access: role('admin'),
      http: 'GET /mailbox',
      input: Type.Object({
        to: Type.Optional(Type.String({ maxLength: 320 })),
        orderId: Type.Optional(Type.String({ maxLength: 64 })),
        ...paging,
      }),
      output: Page(Type.Object(Head, { title: 'MailHead' })),
      reasons: {
        bad_cursor: { code: 'invalid_argument', title: 'This cursor does not belong to this list' },
      },
    }),
    message: query({
      summary: 'One mail.',
      access: role('admin'),
      http: 'GET /mailbox/{messageId}',
      input: Type.Object({ messageId: MessageId }),
      output: Type.Object({ ...Head, text: Type.String() }, { title: 'ReceivedMail' }),
      reasons: { no_message: { code: 'not_found', title: 'There is no such mail' } },
    }),
  },
})
