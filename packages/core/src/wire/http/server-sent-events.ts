/**
 * Streams over HTTP: each item a `data` event, then `end` or `error`.
 *
 * @source https://html.spec.whatwg.org/multipage/server-sent-events.html
 * @module
 */
import { FlotillaError } from '../../kernel/error.ts'
import { BODY_BYTES_MAX } from './bounded-text.ts'

/** One event as text. */
export function formatEvent(name: 'message' | 'end' | 'error', data: unknown): string {
  const head = name === 'message' ? '' : `event: ${name}\n`
  return `${head}data: ${JSON.stringify(data)}\n\n`
}

/** Sent now and then so that proxies keep the connection. */
export const KEEP_ALIVE_COMMENT = ': still here\n\n'

/** An event read. */
export interface ServerSentEvent {
  readonly name: string
  readonly data: string
}

/** Characters one event may have. */
const EVENT_CHARS_MAX = BODY_BYTES_MAX

/**
 * Cuts a byte stream into events.
 *
 * @throws FlotillaError `internal` when an event does not end within 4 MiB.
 */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = parseEvent(text.slice(0, end))
      text = text.slice(end + 2)
      if (event !== undefined) yield event
    }
    if (text.length > EVENT_CHARS_MAX) {
      throw new FlotillaError('internal', 'The peer sent an event that does not end.')
    }
  }
}

function parseEvent(block: string): ServerSentEvent | undefined {
  let name = 'message'
  const data: string[] = []
  for (const line of block.split('\n')) {
    if (line.startsWith('event:')) name = line.slice('event:'.length).trim()
    else if (line.startsWith('data:')) data.push(line.slice('data:'.length).trimStart())
  }
  return data.length === 0 ? undefined : { name, data: data.join('\n') }
}
