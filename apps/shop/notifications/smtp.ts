/**
 * Hands mails to a mail server. The Message-ID follows from the mail's id: a mail that is sent again, because nobody knows
 * whether the first time went well, is recognised by whoever receives it.
 *
 * @module
 */
import type { ServiceRuntime } from '@flotilla/core/service'
import { createTransport } from 'nodemailer'
import type { ClaimedMail } from './mail-store.ts'

const CONNECTIONS_MAX = 4
const CONNECT_MS = 5_000
const SILENCE_MS = 10_000
/** From here on a mail server means: never try this again. @source RFC 5321, section 4.2.1 */
const PERMANENT = 500

/** A way to mail servers. */
export interface Post {
  /** Resolves once the server has taken the mail over. @throws Error what `failureOf` tells about. */
  send(mail: ClaimedMail): Promise<void>
  close(): void
}

/** What a post needs of the service. */
export type PostRuntime = Pick<ServiceRuntime, 'clock' | 'outsidePeer'>

/** Opens one; nothing is connected before the first mail. */
export function openPost(url: string, from: string, { clock, outsidePeer }: PostRuntime): Post {
  const peer = outsidePeer(url)
  const domain = from.slice(from.lastIndexOf('@') + 1)
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: CONNECTIONS_MAX,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async send({ id, orderId, template, recipient, subject, body, date }) {
      const startMs = clock.monotonicMs()
      let code: 'ok' | 'unavailable' = 'ok'
      peer.begin()
      try {
        await transport.sendMail({
          messageId: `<${id}@${domain}>`,
          date,
          from,
          // As an object: as text it would be read as a list of addresses.
          to: { name: '', address: recipient },
          subject,
          text: body,
          headers: { 'X-Order-Id': orderId, 'X-Template': template },
        })
      } catch (error) {
        // A server that says no is well.
        if (!failureOf(error).isFinal) code = 'unavailable'
        throw error
      } finally {
        peer.end(code, clock.monotonicMs() - startMs)
      }
    },
    close: () => transport.close(),
  }
}

/** What went wrong, and whether another attempt is of no use. */
export function failureOf(error: unknown): { readonly message: string; readonly isFinal: boolean } {
  const { code, responseCode, message } = error as { code?: string; responseCode?: number; message?: string }
  // Without an answer of the server this code means that the address is none.
  const isFinal = responseCode === undefined ? code === 'EENVELOPE' : responseCode >= PERMANENT
  return { message: message ?? String(error), isFinal }
}
