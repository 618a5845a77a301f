/**
 * The journal of the customers: every request they made and what came back, as they saw it. It is what the shop has promised.
 *
 * @module
 */
import { createWriteStream } from 'node:fs'

/** What somebody wanted with a request. */
export type Intent =
  | 'register'
  | 'login'
  | 'browse'
  | 'cart'
  | 'coupon'
  | 'place'
  | 'order'
  | 'cancel'
  | 'refund'
  | 'stock'
  | 'price'
  | 'odd'

/** One request and its answer. */
export interface Entry {
  readonly intent: Intent
  /** Absent: nobody was logged in. */
  readonly userId?: string
  readonly method: string
  readonly path: string
  /** Its Idempotency-Key. */
  readonly key?: string
  /** Seconds that it offered to wait. */
  readonly waitS?: number
  readonly request?: unknown
  /** From 1: how often this was asked so far, repeats included. */
  readonly attempt: number
  /** 0: there was no answer. */
  readonly status: number
  // A body is what the shop says; checks say what they expect.
  // biome-ignore lint/suspicious/noExplicitAny: bodies of all kinds
  readonly body?: any
  /** Wall-clock milliseconds at which the answer came, and how long it took. */
  readonly atMs: number
  readonly tookMs: number
}

/** Words that only one user may ever see, and words that nobody may. */
export interface Planted {
  /** By word: the id, once it is known, and the name of whose it is. */
  readonly ownerOf: Map<string, string>
  /** Passwords, tokens, numbers of cards. */
  readonly secrets: Set<string>
}

/** A journal. */
export interface Journal {
  /** What checks ask about: answers that were promises. Reading leaves none. */
  readonly entries: readonly Entry[]
  /** Answers that showed somebody what was somebody else's. */
  readonly leaks: readonly string[]
  /** How many answers were looked at. */
  readonly answers: number
  readonly planted: Planted
  /** Writes it down; on disk only until it is closed. @param text the body as it came, in which nothing of somebody else may be. */
  note(entry: Entry, text: string): void
  close(): Promise<void>
}

/** A word that is one user's. */
export const CANARY = /canary[0-9a-f]{16}/g

/** Opens a journal; on disk, a line of JSON for each request, when `path` is given. */
export function openJournal(path?: string): Journal {
  const file = path === undefined ? undefined : createWriteStream(path, { flags: 'a' })
  const entries: Entry[] = []
  const leaks: string[] = []
  const planted: Planted = { ownerOf: new Map(), secrets: new Set() }
  let answers = 0
  let isClosed = false
  return {
    entries,
    leaks,
    planted,
    get answers() {
      return answers
    },
    note(entry, text) {
      answers++
      const { intent, body: _, ...brief } = entry
      const isPromise = intent !== 'browse' && intent !== 'order'
      if (isPromise) entries.push(entry)
      if (!isClosed) file?.write(`${JSON.stringify(isPromise ? entry : { intent, ...brief })}\n`)
      for (const [word] of text.matchAll(CANARY)) {
        const owner = planted.ownerOf.get(word)
        if (owner !== undefined && owner !== entry.userId) {
          leaks.push(`${entry.method} ${entry.path} showed ${entry.userId ?? 'nobody'} what is ${owner}'s`)
        }
      }
    },
    close() {
      isClosed = true
      return new Promise((resolve) => (file === undefined ? resolve() : file.end(() => resolve())))
    },
  }
}
