/**
 * PostgreSQL's way of stopping a statement: a second connection names the process and its secret key.
 *
 * The server signals the process first and closes this second connection afterwards. So once it is closed, the signal
 * is pending at the process; and a process that is idle, or about to read its next command, drops a pending cancel before
 * it begins (step 5 of `PostgresMain`). That is what makes it safe to use the connection again *after* both have been
 * seen: the close here, and the end of the statement there.
 *
 * Sent in plain text also where the connection is encrypted, as libpq did until version 17: it holds nothing but a key
 * that is of no use without its process. A proxy that insists on TLS refuses it; the caller then drops the connection.
 *
 * @source https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 * @module
 */
import { connect, type NetConnectOpts } from 'node:net'
import type { Clock } from '../kernel/clock.ts'

const DELIVERY_TIMEOUT_MS = 1_000

/** True when the server took the request and closed; false when nobody can know whether it will still act on it. */
export function sendCancelRequest(
  clock: Clock,
  address: NetConnectOpts,
  processId: number,
  secretKey: number,
): Promise<boolean> {
  const request = Buffer.alloc(16)
  request.writeInt32BE(16, 0)
  request.writeInt16BE(1234, 4)
  request.writeInt16BE(5678, 6)
  request.writeInt32BE(processId, 8)
  request.writeInt32BE(secretKey, 12)
  return new Promise((resolve) => {
    // The server never answers; not reading would keep its close from us.
    const socket = connect(address, () => socket.write(request)).resume()
    let isTaken = false
    const timer = clock.schedule(DELIVERY_TIMEOUT_MS, () => socket.destroy())
    socket.on('end', () => {
      isTaken = true
    })
    // 'close' follows and tells the outcome; a refused or broken socket is one of the outcomes.
    socket.on('error', () => {})
    socket.on('close', () => {
      timer.cancel()
      resolve(isTaken)
    })
  })
}
