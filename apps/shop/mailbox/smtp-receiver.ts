/**
 * The receiving end of SMTP. A mail is acknowledged when it is kept: what the sender heard of is there.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { FlotillaError } from '@flotilla/core/error'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server'
import type { Message } from './message-store.ts'

const MESSAGE_BYTES_MAX = 1_000_000
const CLIENTS_MAX = 100
const SILENCE_MS = 30_000
const CLOSE_MS = 1_000
/** PostgreSQL's text has no place for it. */
const NUL = /\0/g

/** Where and how to listen. */
export interface ReceiverOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Keeps a mail; the sender is told of success once it resolves, and to come again when it throws. */
  keep(message: Message): Promise<void>
}

/** A server that takes mails. */
export interface Receiver {
  readonly port: number
  /** Ends idle connections at once, others after a second. */
  close(): Promise<void>
}

/** @throws Error when the port is taken. */
export async function openReceiver({ host, port, keep }: ReceiverOptions): Promise<Receiver> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: MESSAGE_BYTES_MAX,
    maxClients: CLIENTS_MAX,
    socketTimeout: SILENCE_MS,
    closeTimeout: CLOSE_MS,
    logger: false,
    onData(stream, { envelope }, done) {
      const recipients = envelope.rcptTo.map(({ address }) => address)
      readMail(stream, recipients)
        .then(keep)
        .then(
          () => done(),
          (error: unknown) => done(refusal(error)),
        )
    },
  })
  // Of connections that broke off; the sender comes again.
  server.on('error', () => {})
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(port, host, () => {
      server.server.off('error', reject)
      resolve()
    })
  })
  const address = server.server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** A mail too large will be too large tomorrow; all else may be tried again. @source RFC 5321, section 4.2.3 */
function refusal(error: unknown): Error {
  const isTooLarge = (error as FlotillaError).code === 'resource_exhausted'
  return Object.assign(new Error(isTooLarge ? 'Message too large' : 'Try again later'), {
    responseCode: isTooLarge ? 552 : 451,
  })
}

async function readMail(stream: SMTPServerDataStream, recipients: readonly string[]): Promise<Message> {
  const chunks: Buffer[] = []
  let bytes = 0
  // What is too much is read and dropped: the answer comes after it.
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).length
    if (bytes <= MESSAGE_BYTES_MAX) chunks.push(chunk as Buffer)
  }
  if (bytes > MESSAGE_BYTES_MAX) throw new FlotillaError('resource_exhausted', 'A mail is too large.')
  const raw = Buffer.concat(chunks)
  const email = await PostalMime.parse(raw)
  return {
    messageId: messageIdOf(email, raw),
    sender: email.from?.address ?? '',
    recipients,
    subject: clean(email.subject ?? ''),
    text: clean(email.text ?? ''),
    orderId: headerOf(email, 'x-order-id'),
    template: headerOf(email, 'x-template'),
  }
}

/** A mail without one is itself only when every byte is the same. */
function messageIdOf(email: Email, raw: Buffer): string {
  const given = clean(email.messageId ?? '').replace(/^<|>$/g, '')
  return given === '' ? createHash('sha256').update(raw).digest('hex') : given
}

function headerOf({ headers }: Email, name: string): string | null {
  const value = headers.find(({ key }) => key === name)?.value
  return value === undefined ? null : clean(value)
}

function clean(text: string): string {
  return text.replace(NUL, '')
}
