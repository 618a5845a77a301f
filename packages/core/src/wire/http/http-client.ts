/**
 * HTTP to the world outside the platform: the port through which services reach it, and its adapter to undici.
 *
 * @module
 */
import type { Dispatcher } from 'undici'
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

/** A client on undici, which is loaded at the first request: it costs 14 MB. No redirects are followed. */
export function createHttpClient(clock: Clock): HttpClient {
  let agent: Promise<Dispatcher> | undefined
  return {
    async send({ method, url, headers, body, timeoutMs, signal }) {
      agent ??= import('undici').then(({ default: { Agent } }) => new Agent({ connect: { timeout: 2_000 } }))
      const { origin, pathname, search } = new URL(url)
      const dispatcher = await agent
      const tooLate = new AbortController()
      const timer = clock.schedule(timeoutMs, () => tooLate.abort())
      try {
        const response = await dispatcher.request({
          origin,
          path: pathname + search,
          method,
          signal: signal === undefined ? tooLate.signal : AbortSignal.any([signal, tooLate.signal]),
          ...(headers === undefined ? {} : { headers }),
          ...(body === undefined ? {} : { body }),
        })
        return {
          status: response.statusCode,
          headers: response.headers,
          body: await boundedText(response.body, ANSWER_BYTES_MAX),
        }
      } catch (cause) {
        throw new FlotillaError('unavailable', `No answer from ${origin}.`, { cause })
      } finally {
        timer.cancel()
      }
    },
    async close() {
      await (await agent)?.destroy()
    },
  }
}
