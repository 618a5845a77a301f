/**
 * Keys: `g` and a letter goes to a page, `/` searches, `?` helps. Never while something is typed, nor with another modifier.
 *
 * @module
 */

/** What a key press means. */
export type Press =
  | { readonly kind: 'none' }
  /** The first of two keys. */
  | { readonly kind: 'first' }
  | { readonly kind: 'page'; readonly key: string }
  | { readonly kind: 'search' | 'help' | 'refresh' | 'theme' }

/** What matters of a key event. */
export interface KeyEvent {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
}

/** How long the second of two keys may take. */
const SECOND_KEY_MS = 1_500

const SINGLE: ReadonlyMap<string, 'search' | 'help' | 'refresh' | 'theme'> = new Map([
  ['/', 'search'],
  ['?', 'help'],
  ['r', 'refresh'],
  ['t', 'theme'],
])

/** Understands presses one after the other. */
export class KeyReader {
  #firstAtMs = Number.NEGATIVE_INFINITY

  /** What a press means, `atMs` being when it came and `isTyping` whether a field has the focus. */
  read(event: KeyEvent, atMs: number, isTyping: boolean): Press {
    const isSecond = atMs - this.#firstAtMs <= SECOND_KEY_MS
    this.#firstAtMs = Number.NEGATIVE_INFINITY
    if ((event.ctrlKey || event.metaKey) && event.key === 'k') return { kind: 'search' }
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return { kind: 'none' }
    if (isSecond) return /^[a-z]$/.test(event.key) ? { kind: 'page', key: event.key } : { kind: 'none' }
    if (event.key === 'g') {
      this.#firstAtMs = atMs
      return { kind: 'first' }
    }
    const kind = SINGLE.get(event.key)
    return { kind: kind ?? 'none' }
  }
}
