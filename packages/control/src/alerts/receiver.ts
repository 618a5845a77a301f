/**
 * The ways to those who are told: webhooks, and mail.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { FlotillaError } from '@flotilla/core/error'
import type { HttpClient } from '@flotilla/core/http-client'
import { type Message, subjectOf, textOf } from './message.ts'
import type { ReceiverSpec } from './receiver-spec.ts'

const ANSWER_MS = 10_000
const CONNECT_MS = 5_000

/** A way to somebody. */
export interface Receiver {
  /**
   * Resolves once they have it.
   *
   * @param attemptOf the same for each attempt of telling the same thing
   * @throws whatever kept it from them
   */
  send(message: Message, attemptOf: string): Promise<void>
  close(): void
}

/** Opens it; nothing is connected before the first message. */
export function openReceiver({ webhook, mail }: ReceiverSpec, http: HttpClient): Receiver {
  const ways = [
    ...(webhook === undefined ? [] : [webhookTo(webhook, http)]),
    ...(mail === undefined ? [] : [mailTo(mail)]),
  ]
  return {
    async send(message, attemptOf) {
      for (const way of ways) await way.send(message, attemptOf)
    },
    close() {
      for (const way of ways) way.close()
    },
  }
}

function webhookTo({ url, headers }: NonNullable<ReceiverSpec['webhook']>, http: HttpClient): Receiver {
  return {
    async send(message) {
      const { status } = await http.send({
        method: 'POST',
        url,
        headers: { 'content-type': 'application/json', 'user-agent': 'flotilla', ...headers },
        body: JSON.stringify(message),
        timeoutMs: ANSWER_MS,
      })
      // The URL may have a secret in it: only its origin is told.
      if (status < 200 || status > 299)
        throw new FlotillaError('unavailable', `${new URL(url).origin} answered ${status}`)
    },
    close() {
      // Connections are the http port's.
    },
  }
}

/** Nodemailer is loaded at the first mail. The Message-ID is the same for each attempt: who got it twice sees it once. */
function mailTo({ smtp, from, to }: NonNullable<ReceiverSpec['mail']>): Receiver {
  const domain = from.slice(from.lastIndexOf('@') + 1)
  return {
    async send(message, attemptOf) {
      const { default: nodemailer } = await import('nodemailer')
      const transport = nodemailer.createTransport({
        url: smtp,
        connectionTimeout: CONNECT_MS,
        greetingTimeout: CONNECT_MS,
        socketTimeout: ANSWER_MS,
        disableFileAccess: true,
        disableUrlAccess: true,
      })
      try {
        await transport.sendMail({
          messageId: `<${createHash('sha256').update(attemptOf).digest('hex').slice(0, 32)}@${domain}>`,
          from,
          // As objects: as text they would be read as lists of addresses.
          to: to.map((address) => ({ name: '', address })),
          subject: subjectOf(message),
          text: textOf(message),
        })
      } finally {
        transport.close()
      }
    },
    close() {
      // Every mail has its own connection.
    },
  }
}
