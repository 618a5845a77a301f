/**
 * HTTP to the world outside the platform: the port through which services reach it, and its adapter to Node's own client.
 *
 * @module
 */
import http, { type IncomingMessage } from 'node:http'
import type { Clock } from '../../kernel/clock.ts'
import { FlotillaError } from '../../kernel/error.ts'
import type { TraceContext } from '../../kernel/trace-context.ts'
import { boundedText } from './bounded-text.ts'

/** A request. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** How long the whole exchange may take. */
  readonly timeoutMs: number
  /** The span on whose behalf it is made: it leaves a span below that, and tells the server so. Absent: neither. */
  readonly trace?: TraceContext
  /** Ends it earlier. */
  readonly signal?: AbortSignal
}

/** Its answer, whatever the status. */
export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

/** Makes requests. */
export interface HttpClient {
  /** @throws FlotillaError `unavailable` when there is no answer, or it is longer than 8 MiB. */
  send(request: HttpRequest): Promise<HttpResponse>
  close(): Promise<void>
}

const ANSWER_BYTES_MAX = 8 * 1024 * 1024
const CONNECT_MS_MAX = 2_000
/** Less than the five seconds after which many servers close a connection that nobody uses, ours too. */
const IDLE_MS_MAX = 4_000

/** How requests go to servers of one protocol. */
interface Transport {
  readonly request: typeof http.request
  readonly agent: http.Agent
  /** What a connection tells when requests can go. */
  readonly connected: 'connect' | 'secureConnect'
}

const keptAlive = { keepAlive: true, timeout: IDLE_MS_MAX }

/** A client that keeps connections. No redirects are followed. */
export function createHttpClient(clock: Clock): HttpClient {
  const agent = new http.Agent(keptAlive)
  const plain: Transport = { request: http.request, agent, connected: 'connect' }
  let secure: Promise<Transport> | undefined
  return {
    async send(asked) {
      const { protocol, origin } = new URL(asked.url)
      try {
        if (protocol !== 'https:') return await exchange(plain, asked, clock)
        secure ??= openSecure()
        return await exchange(await secure, asked, clock)
      } catch (cause) {
        throw new FlotillaError('unavailable', `No answer from ${origin}.`, { cause })
      }
    },
    async close() {
      agent.destroy()
      const opened = await secure
      opened?.agent.destroy()
    },
  }
}

/** Most processes speak to none that wants it. */
async function openSecure(): Promise<Transport> {
  const { default: https } = await import('node:https')
  return { request: https.request, agent: new https.Agent(keptAlive), connected: 'secureConnect' }
}

function exchange(
  { request: open, agent, connected }: Transport,
  { method, url, headers = {}, body, timeoutMs, signal }: HttpRequest,
  clock: Clock,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const request = open(url, { method, headers, agent })
    const late = (what: string, ms: number) => () => request.destroy(new Error(`${what} within ${ms} ms.`))
    const timers = [clock.schedule(timeoutMs, late('No answer', timeoutMs))]
    const abort = (): void => void request.destroy(signal?.reason as Error)
    const end = (): void => {
      for (const timer of timers) timer.cancel()
      signal?.removeEventListener('abort', abort)
    }
    request.once('socket', (socket) => {
      // One that has ended already would wait for nothing.
      if (!socket.connecting || request.destroyed) return
      const connecting = clock.schedule(CONNECT_MS_MAX, late('No connection', CONNECT_MS_MAX))
      timers.push(connecting)
      socket.once(connected, () => connecting.cancel())
    })
    // More than once, where a connection breaks with an answer on its way.
    request.on('error', (error) => {
      end()
      reject(error)
    })
    let isAnswered = false
    // Also without an error, as when the answer is to speak something else.
    request.once('close', () => {
      if (isAnswered) return
      end()
      reject(new Error('The connection was closed.'))
    })
    request.once('response', (response) => {
      isAnswered = true
      const answered = answerOf(response)
      answered.then(resolve, reject)
      answered.then(end, () => {
        end()
        // What is too long is not read to its end.
        request.destroy()
      })
    })
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
    request.end(body)
  })
}

async function answerOf(response: IncomingMessage): Promise<HttpResponse> {
  const { statusCode = 0, headers } = response
  return { status: statusCode, headers, body: await boundedText(response, ANSWER_BYTES_MAX) }
}
