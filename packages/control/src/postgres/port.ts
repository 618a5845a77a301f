/**
 * Is the port free, and if not, who has it?
 *
 * @module
 */
import { connect, createServer } from 'node:net'
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'

const ANSWER_MS_MAX = 500
/** "Do you speak TLS?", which a PostgreSQL answers by S or N. @source https://www.postgresql.org/docs/18/protocol-message-formats.html */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])

/** @throws FlotillaError `failed_precondition`, saying by whom the port is taken. */
export async function requireFreePort(clock: Clock, port: number): Promise<void> {
  const refusal = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const probe = createServer()
    probe.once('error', resolve)
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(undefined)))
  })
  if (refusal?.code === 'EADDRINUSE') throw await portTaken(clock, port)
  if (refusal !== undefined) {
    throw new FlotillaError(
      'failed_precondition',
      `Port ${port} cannot be used (${refusal.code}); set FLOTILLA_POSTGRES_PORT.`,
      { executed: 'no', cause: refusal },
    )
  }
}

/** The error for a port that is not free. */
export async function portTaken(clock: Clock, port: number): Promise<FlotillaError> {
  const owner = (await isPostgres(clock, port)) ? 'another PostgreSQL' : 'another program'
  return new FlotillaError(
    'failed_precondition',
    `Port ${port} is taken (by ${owner}); set FLOTILLA_POSTGRES_PORT to a free one below 32768.`,
    { executed: 'no' },
  )
}

function isPostgres(clock: Clock, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(SSL_REQUEST))
    const timer = clock.schedule(ANSWER_MS_MAX, () => socket.destroy())
    let answer = ''
    socket.once('data', (chunk) => {
      answer = chunk.toString('latin1')
      socket.destroy()
    })
    // 'close' follows.
    socket.on('error', () => {})
    socket.on('close', () => {
      timer.cancel()
      resolve(answer === 'S' || answer === 'N')
    })
  })
}
