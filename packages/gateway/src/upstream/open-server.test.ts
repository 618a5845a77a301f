/**
 * A server for tests that says what it is told to, byte by byte, whatever HTTP says of it; and requests to it.
 *
 * @module
 */
import { createServer, type Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { Cancellation } from '@flotilla/core/cancellation'
import { systemClock } from '@flotilla/core/clock'
import type { FlotillaError } from '@flotilla/core/error'
import { Metrics } from '@flotilla/core/metrics'
import { OutsideRequests } from '@flotilla/core/outside-requests'
import { seededRandom } from '@flotilla/core/random'
import type { Flow } from './attempt.ts'
import type { ForeignHead } from './foreign-head.ts'
import { Upstream, type UpstreamSettings } from './upstream.ts'

/** What a request has come to. */
export interface Outcome {
  readonly head: ForeignHead | undefined
  readonly body: string
  readonly error: FlotillaError | undefined
}

/** What may be asked. */
export interface Asking {
  readonly method?: string
  readonly path?: string
  readonly lines?: string
  readonly body?: Readable
  readonly bodyBytes?: number
  readonly cancellation?: Cancellation
  /** Told of every part; false: it is enough, until `flow` resumes. */
  readonly onPart?: (part: Buffer, flow: Flow) => boolean
  readonly onHead?: () => void
}

/** A connection, as the server sees it. */
export interface Seen {
  readonly socket: Socket
  /** All that has come on it. */
  text: string
  isClosed: boolean
}

/** The server. */
export interface RawServer {
  readonly origin: string
  readonly seen: readonly Seen[]
}

interface After {
  after(cleanUp: () => void): void
}

/** Opens it; `onData` is told whenever something has come, with the number of the connection. */
export async function openRawServer(
  t: After,
  onData: (seen: Seen, index: number) => void,
  onOpen: (seen: Seen) => void = () => {},
): Promise<RawServer> {
  const seen: Seen[] = []
  const server = createServer({ noDelay: true }, (socket) => {
    const its: Seen = { socket, text: '', isClosed: false }
    const index = seen.push(its) - 1
    socket.on('error', () => {
      // 'close' follows.
    })
    socket.on('close', () => {
      its.isClosed = true
    })
    socket.on('data', (part) => {
      its.text += part.toString('latin1')
      onData(its, index)
    })
    onOpen(its)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    for (const { socket } of seen) socket.destroy()
  })
  const { port } = server.address() as { port: number }
  return { origin: `http://127.0.0.1:${port}`, seen }
}

/** An upstream, without repetitions if nothing else is said. */
export function openUpstream(
  t: After,
  origins: readonly string[],
  settings: Partial<UpstreamSettings> = {},
): Upstream {
  const requests = new OutsideRequests(new Metrics())
  const upstream = new Upstream(
    { targets: origins, retries: 0, ...settings },
    {
      clock: systemClock,
      random: seededRandom(1),
      outsidePeer: (url) => requests.peer('gateway', new URL(url).host),
    },
  )
  t.after(() => upstream.destroy())
  return upstream
}

/** Asks, and tells what came of it. */
export function ask(upstream: Upstream, asking: Asking = {}): Promise<Outcome> {
  const { method = 'GET', path = '/', lines = '', body, bodyBytes, onPart, onHead } = asking
  const { cancellation = new Cancellation() } = asking
  return new Promise((resolve) => {
    let head: ForeignHead | undefined
    let text = ''
    let flow: Flow | undefined
    upstream.send(
      { method, path, host: undefined, lines, body, bodyBytes, cancellation },
      {
        head: (its, itsFlow) => {
          head = its
          flow = itsFlow
          onHead?.()
        },
        part: (part) => {
          text += part.toString('latin1')
          return onPart?.(part, flow as Flow) ?? true
        },
        end: () => resolve({ head, body: text, error: undefined }),
        fail: (error) => resolve({ head, body: text, error }),
      },
    )
  })
}

/** How many requests without a body stand in what has come. */
export function headsIn(text: string): number {
  return text.split('\r\n\r\n').length - 1
}

/**
 * Cuts a connection without the end of what was sent, which `resetAndDestroy` sends first. The other side is given the time to read: where
 * both come together libuv takes the cut for an end.
 */
export async function reset(socket: Socket): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  const { _handle: handle } = socket as unknown as { _handle: { reset(done: () => void): void } | null }
  handle?.reset(() => socket.destroy())
}
