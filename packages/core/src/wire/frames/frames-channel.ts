/**
 * The calling side of frames: how a connection is opened. What it does then is in `calling-connection.ts`.
 *
 * @module
 */
import { connect } from 'node:net'
import { FlotillaError } from '../../kernel/error.ts'
import { type Address, type Channel, formatAddress } from '../wire.ts'
import { CallingConnection, type CallingOptions } from './calling-connection.ts'

/** What a channel needs. */
export interface FramesChannelOptions extends CallingOptions {
  readonly address: Address
  /** How long connecting and greeting may take. Default 1,000. */
  readonly connectTimeoutMs?: number
}

/**
 * Connects and greets.
 *
 * @throws FlotillaError `unavailable`, executed 'no', when nobody answers in time; or what the server refuses with.
 */
export function openFramesChannel(options: FramesChannelOptions): Promise<Channel> {
  const { address, clock, connectTimeoutMs = 1_000 } = options
  const name = formatAddress(address)
  return new Promise((resolve, reject) => {
    const socket =
      address.kind === 'unix'
        ? connect(address.path)
        : connect({ ...address, noDelay: true, keepAlive: true })
    const refuse = (error: FlotillaError): void => {
      timer.cancel()
      socket.destroy()
      reject(error)
    }
    const fail = (why: string, cause?: unknown): void => {
      refuse(new FlotillaError('unavailable', `No connection to ${name}: ${why}.`, { executed: 'no', cause }))
    }
    const onError = (error: Error): void => fail(error.message, error)
    const onClose = (): void => fail('the peer closed it before greeting')
    const timer = clock.schedule(connectTimeoutMs, () => fail(`no answer after ${connectTimeoutMs} ms`))
    socket.on('error', onError)
    socket.on('close', onClose)
    socket.once('connect', () => {
      const connection = new CallingConnection(socket, options, (error) => {
        if (error !== undefined) return refuse(error)
        timer.cancel()
        socket.off('error', onError).off('close', onClose)
        connection.attach()
        resolve(connection)
      })
    })
  })
}
