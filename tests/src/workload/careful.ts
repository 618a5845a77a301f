/**
 * A careful customer: writes down every answer, and asks again with the same key until there is a definite one.
 *
 * Definite is what will not change by asking again: done, or refused for a reason. Nothing is definite about no answer, about a
 * server that says it is in trouble or overloaded, and about a repeat that came while the first is still under way.
 *
 * @module
 */
import type { Random } from '@flotilla/core/random'
import type { Answer, Ask } from '../shop-client.ts'
import type { Entry, Intent, Journal } from './journal.ts'

/** What is asked. */
export interface Question {
  readonly intent: Intent
  readonly method?: string
  readonly path: string
  readonly body?: unknown
  /** Idempotency-Key. */
  readonly key?: string
  /** Seconds to wait for how it ends. */
  readonly waitS?: number
  /** If-Match: the version that is to be changed. */
  readonly version?: number
}

/** Who asks. */
export interface Asker {
  readonly userId?: string
  readonly token?: string
}

/** What was answered in the end. */
export interface Reply extends Pick<Answer, 'status' | 'body'> {
  readonly isDefinite: boolean
}

/** Counts of requests. */
export interface RequestTally {
  requests: number
  /** Those of them that were repeats. */
  repeats: number
  /** Questions that were given up without a definite answer. */
  unknown: number
}

const PATIENCE_MS = 40_000
const ANSWER_MS_MAX = 12_000
const PAUSE_MS = 40
const PAUSE_MS_MAX = 1_000

/** True when asking again changes nothing. */
export function isDefinite({ status, body }: Pick<Answer, 'status' | 'body'>): boolean {
  if (status === 0 || status >= 500 || status === 429 || status === 408) return false
  return status !== 409 || body?.reason !== undefined
}

/** Asks carefully. */
export class Careful {
  readonly tally: RequestTally = { requests: 0, repeats: 0, unknown: 0 }
  readonly #api: Ask
  readonly #journal: Journal

  constructor(api: Ask, journal: Journal) {
    this.#api = api
    this.#journal = journal
  }

  /** Until there is a definite answer, for at most forty seconds. */
  async ask(random: Random, question: Question, asker: Asker = {}): Promise<Reply> {
    const giveUpMs = Date.now() + PATIENCE_MS
    for (let attempt = 1; ; attempt++) {
      const answer = await this.once(question, asker, attempt)
      if (isDefinite(answer)) return { ...answer, isDefinite: true }
      if (Date.now() > giveUpMs) {
        this.tally.unknown++
        return { ...answer, isDefinite: false }
      }
      this.tally.repeats++
      const pauseMs = Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** attempt) * (0.5 + random.next())
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  /** One request, written down. */
  async once(question: Question, asker: Asker, attempt = 1): Promise<Pick<Answer, 'status' | 'body'>> {
    const { intent, path, body: request, key, waitS, version } = question
    const method = question.method ?? (request === undefined ? 'GET' : 'POST')
    const startMs = Date.now()
    this.tally.requests++
    const headers = {
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...(waitS === undefined ? {} : { prefer: `wait=${waitS}` }),
      ...(version === undefined ? {} : { 'if-match': `"${version}"` }),
    }
    const { status, body, text } = await this.#api(path, {
      method,
      headers,
      ...(request === undefined ? {} : { body: request }),
      ...(asker.token === undefined ? {} : { token: asker.token }),
      signal: AbortSignal.timeout(ANSWER_MS_MAX + (waitS ?? 0) * 1_000),
    }).catch((error: unknown) => ({ status: 0, body: undefined, text: String(error) }))
    const atMs = Date.now()
    const entry: Entry = {
      intent,
      method,
      path,
      attempt,
      status,
      body,
      atMs,
      tookMs: atMs - startMs,
      ...(asker.userId === undefined ? {} : { userId: asker.userId }),
      ...(key === undefined ? {} : { key }),
      ...(waitS === undefined ? {} : { waitS }),
      ...(request === undefined || intent === 'register' || intent === 'login' ? {} : { request }),
    }
    this.#journal.note(entry, text)
    return { status, body }
  }
}
