/**
 * Webhooks: telling the merchant what happened.
 *
 * A webhook is written with the event it tells of. A body is `{ id, timestamp, payload, signature }`: `payload` is a text, so
 * that the signature, the HMAC-SHA256 of `id.timestamp.payload`, is about exactly these bytes. It is sent until it is
 * answered with 2xx, each time signed anew; it may be late, come twice, or be overtaken.
 *
 * @module
 */
import { createHmac } from 'node:crypto'
import { fullJitterMs } from '@flotilla/core/backoff'
import { crashpoint } from '@flotilla/core/crashpoint'
import type { HttpClient } from '@flotilla/core/http-client'
import type { NewId } from '@flotilla/core/ids'
import type { Random } from '@flotilla/core/random'
import type { Context } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import type { Profile } from './profile.ts'

/** When a webhook goes out, how often, and what it says. */
export interface WebhookPlan {
  readonly delayMs: number
  readonly deliveries: number
}

/** Where webhooks go. */
export interface WebhookTarget {
  readonly url: string
  readonly secret: string
  readonly http: HttpClient
}

const BATCH_COUNT = 20
const SEND_TIMEOUT_MS = 5_000
const LEASE_MS = 3 * SEND_TIMEOUT_MS
const TRIES_MAX = 40
const backoff = { baseMs: 500, capMs: 60_000 }

/** Draws how a webhook will fare; `hiddenMs`: not before. */
export function planWebhook(profile: Profile, random: Random, hiddenMs: number): WebhookPlan {
  if (profile.isInstant) return { delayMs: hiddenMs, deliveries: 1 }
  const isLate = random.next() < profile.webhookLateShare
  const lateMs = isLate ? random.next() * profile.webhookLateMsMax : 0
  return {
    delayMs: hiddenMs + lateMs,
    deliveries: random.next() < profile.webhookDuplicateShare ? 2 : 1,
  }
}

/** Writes a webhook down, in the transaction that does what it tells of. */
export function sendLater(
  tx: Transaction,
  newId: NewId,
  { delayMs, deliveries }: WebhookPlan,
  payload: unknown,
): void {
  tx.send(sql`
    insert into webhook (id, payload, due_at, deliveries_left)
    values (${`evt_${newId()}`}, ${JSON.stringify(payload)}, now() + ${delayMs} * interval '1 millisecond', ${deliveries})`)
}

/** The signature of a webhook: 64 hexadecimal digits. */
function sign(secret: string, id: string, timestamp: number, payload: string): string {
  return createHmac('sha256', secret).update(`${id}.${timestamp}.${payload}`).digest('hex')
}

interface Due {
  readonly id: string
  readonly payload: string
  readonly tries: number
}

/** Sends what is due, until nothing is. */
export async function sendDue(ctx: Context, target: WebhookTarget): Promise<void> {
  for (;;) {
    const due = await ctx.db.many<Due>(sql`
      update webhook set tries = tries + 1, due_at = now() + ${LEASE_MS} * interval '1 millisecond'
      where id in (select id from webhook where deliveries_left > 0 and due_at <= now()
        order by due_at limit ${BATCH_COUNT} for update skip locked)
      returning id, payload, tries`)
    if (due.length === 0) return
    await Promise.all(due.map((one) => send(ctx, target, one)))
  }
}

async function send(ctx: Context, target: WebhookTarget, { id, payload, tries }: Due): Promise<void> {
  const waitMs = fullJitterMs(ctx.random, tries, backoff)
  crashpoint('outside.before-call', 'provider', 'webhook')
  const isDone = await isTaken(ctx, target, id, payload)
  crashpoint('outside.after-call', 'provider', 'webhook')
  if (isDone) {
    await ctx.db.execute(sql`
      update webhook set deliveries_left = deliveries_left - 1, due_at = now() + ${waitMs} * interval '1 millisecond'
      where id = ${id} and deliveries_left > 0`)
    crashpoint('outside.after-record', 'provider', 'webhook')
    return
  }
  const isHopeless = tries >= TRIES_MAX
  if (isHopeless) ctx.log.error('a webhook was given up', { webhook: id })
  await ctx.db.execute(sql`
    update webhook set due_at = now() + ${waitMs} * interval '1 millisecond',
      deliveries_left = case when ${isHopeless} then 0 else deliveries_left end
    where id = ${id}`)
}

async function isTaken(
  ctx: Context,
  { url, secret, http }: WebhookTarget,
  id: string,
  payload: string,
): Promise<boolean> {
  const timestamp = Math.floor(ctx.clock.now() / 1000)
  const signature = sign(secret, id, timestamp, payload)
  try {
    const { status } = await http.send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id, timestamp, payload, signature }),
      timeoutMs: SEND_TIMEOUT_MS,
      trace: ctx.trace,
    })
    return status >= 200 && status < 300
  } catch {
    // Nobody there: the next try will tell.
    return false
  }
}
