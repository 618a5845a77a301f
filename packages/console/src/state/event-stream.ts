/**
 * Server-sent events, read from the body of an ordinary request: unlike EventSource it can say who asks, and tells why it was refused.
 *
 * A stream that ends, or that a server is too busy for, is asked for again: after a pause that doubles up to 15 s until there is one.
 *
 * @source https://html.spec.whatwg.org/multipage/server-sent-events.html
 * @module
 */
import { after } from '../browser/browser.ts'
import { ApiError, isReachable, send } from './api.ts'

const PAUSE_FIRST_MS = 1_000
const PAUSE_MAX_MS = 15_000
/** Of one event; more than that is no stream of ours. */
const EVENT_CHARS_MAX = 4_194_304

/** Cuts text, as it comes in, into events. */
export class EventReader {
  #rest = ''

  /** The events that `text` completes. @throws ApiError when one does not end. */
  read(text: string): { readonly name: string; readonly data: string }[] {
    this.#rest = `${this.#rest}${text}`.replaceAll('\r\n', '\n')
    const parts = this.#rest.split('\n\n')
    this.#rest = parts.pop() ?? ''
    if (this.#rest.length > EVENT_CHARS_MAX) throw new ApiError('internal', 'An event is too long.')
    return parts.map(parseEvent).filter(({ data }) => data !== '')
  }
}

function parseEvent(text: string): { readonly name: string; readonly data: string } {
  const lines = text.split('\n')
  const values = (field: string): string[] =>
    lines
      .filter((line) => line.startsWith(`${field}:`))
      .map((line) => line.slice(field.length + 1).trimStart())
  return { name: values('event').at(-1) ?? 'message', data: values('data').join('\n') }
}

/** With which refusals the server says that it might do so later. */
const PASSING = new Set(['resource_exhausted', 'unavailable'])

/** Who follows a stream. */
export interface Follower {
  readonly onItem: (item: unknown) => void
  /** Why there is no stream now, though it is asked for again; undefined when there is one. */
  readonly onWait?: (why: ApiError | undefined) => void
  /** The server refused: it will not be asked again. */
  readonly onRefused: (error: ApiError) => void
}

/** Follows a stream until the function that is returned is called. */
export function follow(id: string, input: unknown, follower: Follower): () => void {
  const abort = new AbortController()
  let stopWaiting = (): void => undefined
  let pauseMs = PAUSE_FIRST_MS
  const again = (): void => {
    if (abort.signal.aborted) return
    stopWaiting = after(pauseMs, () => void open())
    pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)
  }
  const open = async (): Promise<void> => {
    try {
      await readAll(id, input, follower, abort.signal)
      pauseMs = PAUSE_FIRST_MS
      again()
    } catch (error) {
      const refusal = error instanceof ApiError && isReachable.value ? error : undefined
      if (refusal !== undefined && !PASSING.has(refusal.code)) return follower.onRefused(refusal)
      if (refusal !== undefined) follower.onWait?.(refusal)
      again()
    }
  }
  void open()
  return () => {
    abort.abort()
    stopWaiting()
  }
}

async function readAll(id: string, input: unknown, follower: Follower, abort: AbortSignal): Promise<void> {
  const response = await send(id, input, abort)
  follower.onWait?.(undefined)
  if (response.body === null) return
  const reader = new EventReader()
  const chunks = response.body.pipeThrough(new TextDecoderStream()).getReader()
  for (let chunk = await chunks.read(); !chunk.done; chunk = await chunks.read()) {
    for (const { name, data } of reader.read(chunk.value)) {
      if (name === 'message') follower.onItem(JSON.parse(data))
    }
  }
}
