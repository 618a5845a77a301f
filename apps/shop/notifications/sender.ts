/**
 * Sends what is due: claim, hand over, book. A crash between the last two makes the mail go out again when its claim has
 * run out, with the same Message-ID; a crash before them only delays it.
 *
 * @module
 */
import { crashpoint } from '@flotilla/core/crashpoint'
import type { Context } from '@flotilla/core/service'
import { ATTEMPTS_MAX, bookFailure, bookSent, type ClaimedMail, claimMails } from './mail-store.ts'
import { failureOf, type Post } from './smtp.ts'

/**
 * One for each connection of a post: even a mail that is handed over as slowly as can be is done before its claim runs out. No
 * longer, because a claim whose answer got lost is nobody's until then.
 */
const CLAIM_COUNT = 4
const LEASE_S = 30
/** A turn sends so many claims at most; the next one goes on. */
const CLAIMS_MAX = 250

/** One turn. */
export async function sendMails(ctx: Context, post: Post): Promise<void> {
  for (let claim = 0; claim < CLAIMS_MAX; claim++) {
    const mails = await claimMails(ctx.db, CLAIM_COUNT, LEASE_S)
    await Promise.all(mails.map((mail) => sendMail(ctx, post, mail)))
    if (mails.length < CLAIM_COUNT) return
  }
}

async function sendMail(ctx: Context, post: Post, mail: ClaimedMail): Promise<void> {
  try {
    // Its senders went away with it, time and again.
    if (mail.attempts > ATTEMPTS_MAX) throw new Error('Every attempt ended without a word.')
    crashpoint('outside.before-call', 'notifications', 'mail')
    await post.send(mail)
  } catch (error) {
    const { message, isFinal } = failureOf(error)
    const status = await bookFailure(ctx.db, mail, { message, isFinal })
    if (status === 'dead')
      ctx.log.error('a mail could not be sent', { order_id: mail.orderId, mail_id: mail.id, error })
    return
  }
  crashpoint('outside.after-call', 'notifications', 'mail')
  if (await bookSent(ctx.db, mail))
    ctx.log.info('mail sent', { order_id: mail.orderId, template: mail.template })
  crashpoint('outside.after-record', 'notifications', 'mail')
}
