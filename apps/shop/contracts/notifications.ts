/**
 * What users are told by mail.
 *
 * @module
 */
import { role, user } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { command, query } from '@flotilla/core/operation'
import { Id, Page, paging, Time, Type } from '@flotilla/core/schema'

const Notification = Type.Object(
  {
    id: Id,
    orderId: Id,
    /** What it tells: `confirmed`, `shipped` … */
    template: Type.String(),
    subject: Type.String(),
    text: Type.String(),
    /** `dead`: could not be sent; an admin may have it tried again. */
    status: Type.Union([Type.Literal('pending'), Type.Literal('sent'), Type.Literal('dead')]),
    createdAt: Time,
    sentAt: Type.Union([Time, Type.Null()]),
  },
  { title: 'Notification' },
)

/** A mail that could not be sent, for those who look after it. */
const DeadMail = Type.Object(
  {
    id: Id,
    orderId: Id,
    template: Type.String(),
    attempts: Type.Integer(),
    error: Type.String(),
    createdAt: Time,
  },
  { title: 'DeadMail' },
)

/** The notifications contract. */
export const notifications = defineContract({
  name: 'notifications',
  version: 1,
  summary: 'What users are told by mail: once for each order and occasion.',
  operations: {
    list: query({
      summary: 'What you were told, the newest first.',
      access: user,
      http: 'GET /notifications',
      input: Type.Object({ ...paging }),
      output: Page(Notification),
      reasons: {
        bad_cursor: { code: 'invalid_argument', title: 'This cursor does not belong to this list' },
      },
    }),
    dead: query({
      summary: 'Mails that could not be sent, the oldest first.',
      access: role('admin'),
      http: 'GET /notifications/dead',
      input: Type.Object({ limit: paging.limit }),
      output: Type.Object({ items: Type.Array(DeadMail) }),
    }),
    retry: command({
      summary: 'Has a mail that could not be sent tried again.',
      access: role('admin'),
      http: { route: 'POST /notifications/{id}/retry', status: 202 },
      idempotency: 'natural',
      input: Type.Object({ id: Id }),
      output: Type.Object({}),
      reasons: { no_mail: { code: 'not_found', title: 'No such mail is waiting for help' } },
    }),
  },
})
