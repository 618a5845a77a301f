/**
 * All SQL of the mailbox.
 *
 * @module
 */
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'

/** A mail, read. */
export interface Message {
  readonly messageId: string
  readonly sender: string
  readonly recipients: readonly string[]
  readonly subject: string
  readonly text: string
  readonly orderId: string | null
  readonly template: string | null
}

/** A mail as lists show it. */
export interface MessageHead extends Omit<Message, 'text' | 'recipients'> {
  readonly recipients: string[]
  readonly receipts: number
  readonly receivedAt: string
}

/** Which mails are wanted; null: all. */
export interface Filter {
  readonly to: string | null
  readonly orderId: string | null
}

/** Keeps a mail, or counts one more receipt of it. */
export async function keepMessage(db: Session, message: Message): Promise<void> {
  const { messageId, sender, recipients, subject, text, orderId, template } = message
  await db.execute(sql`
    insert into message as known (message_id, sender, recipients, subject, body, order_id, template)
    values (${messageId}, ${sender}, ${recipients}, ${subject}, ${text}, ${orderId}, ${template})
    on conflict (message_id) do update set receipts = known.receipts + 1`)
}

const head = sql`
  message_id as "messageId", receipts, sender, recipients, subject, order_id as "orderId", template,
  received_at as "receivedAt"`

/** Mails, the newest first, after a place in that order. */
export function findMessages(
  db: Session,
  { to, orderId }: Filter,
  after: readonly [receivedAt: string, messageId: string] | undefined,
  limit: number,
): Promise<MessageHead[]> {
  return db.many<MessageHead>(sql`
    select ${head} from message
    where (${to}::text is null or ${to} = any(recipients)) and (${orderId}::text is null or order_id = ${orderId})
    ${after === undefined ? sql.empty : sql`and (received_at, message_id) < (${after[0]}, ${after[1]})`}
    order by received_at desc, message_id desc limit ${limit}`)
}

/** One mail. */
export function findMessage(
  db: Session,
  messageId: string,
): Promise<(MessageHead & { readonly text: string }) | undefined> {
  return db.maybe(sql`select ${head}, body as text from message where message_id = ${messageId}`)
}
