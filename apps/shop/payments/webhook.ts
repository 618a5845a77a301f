/**
 * What the provider tells of itself.
 *
 * A webhook is believed if it bears the signature of the shared secret over its id, its timestamp and the very bytes of its payload,
 * and its timestamp is near. It tells of a charge as it was at some moment, which may be long ago: what it says happened has
 * happened all the same (`provider-client.ts`), so late, doubled and overtaken ones do no harm. Its id is kept with its
 * effect, and a repeat is answered without looking at it.
 *
 * @module
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { parseUntrustedJson } from '@flotilla/core/json'
import { lazyCheck, type Static, Type } from '@flotilla/core/schema'
import type { Context, Handlers } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import type { payments } from '../contracts/payments.ts'
import type { Outcomes } from './outcomes.ts'
import { Charge } from './provider-client.ts'

/** Both ways: clocks differ. Retries bear new timestamps. */
const TOLERANCE_S = 300
const KEPT_DAYS = 7
const FORGOTTEN_COUNT_MAX = 10_000

const Payload = Type.Object({ type: Type.String(), charge: Charge })
const check = lazyCheck(Payload)

/** Handles `payments.webhook`. */
export function handleWebhook(secret: string, outcomes: Outcomes): Handlers<typeof payments>['webhook'] {
  return async ({ id, timestamp, payload, signature }, ctx) => {
    const expected = createHmac('sha256', secret).update(`${id}.${timestamp}.${payload}`).digest()
    if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) throw ctx.fail('bad_signature')
    if (Math.abs(ctx.clock.now() / 1000 - timestamp) > TOLERANCE_S) throw ctx.fail('stale_webhook')
    const content = readPayload(payload)
    // Signed, so it is from the provider: a kind of event that came up since. It would be sent again if it were refused.
    if (content === undefined) ctx.log.warn('a webhook was not understood', { webhook: id })
    return ctx.commit(async (tx) => {
      const isNew = await tx.execute(sql`
        insert into webhook_event (id) values (${id}) on conflict (id) do nothing`)
      if (isNew === 1 && content !== undefined) await outcomes.learn(ctx, tx, content.charge)
      return {}
    })
  }
}

function readPayload(payload: string): Static<typeof Payload> | undefined {
  const content = parseUntrustedJson(payload)
  return check(content) === undefined ? (content as Static<typeof Payload>) : undefined
}

/** Forgets webhooks that will not come again. */
export async function forgetWebhooks(ctx: Context): Promise<void> {
  await ctx.db.execute(sql`
    delete from webhook_event where id = any(array(
      select id from webhook_event where received_at < now() - ${KEPT_DAYS} * interval '1 day'
      limit ${FORGOTTEN_COUNT_MAX}))`)
}
