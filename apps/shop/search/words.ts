/**
 * What somebody typed, as the database gets to see it: parameters, never SQL, and in the one place where a query is put
 * together from words (the prefix) only letters and digits.
 *
 * @module
 */

/** A word that is not excluded by a minus before it, and long enough to be mistyped. */
const WORD = /(?<![\p{L}\p{N}]|(?:^|\s)-)[\p{L}\p{N}]{3,}/gu
const UNFINISHED = /(?:^|\s)([\p{L}\p{N}]{2,})$/u

/** Composed, and without what no text has (control characters, halves of pairs) or nobody sees. */
export function cleaned(typed: string): string {
  return typed.normalize('NFC').replace(/\p{C}/gu, ' ').trim()
}

/** The last word, which may not be finished yet, and what stands before it. Nothing within quotes is unfinished. */
export function unfinishedWord(
  words: string,
): { readonly before: string; readonly word: string } | undefined {
  const word = words.includes('"') ? undefined : UNFINISHED.exec(words)?.[1]
  return word === undefined ? undefined : { before: words.slice(0, -word.length), word }
}

/** The words that may be mistyped, each once. */
export function correctable(words: string): readonly string[] {
  return [...new Set(words.match(WORD) ?? [])]
}

/** The same text with words replaced. */
export function withCorrections(words: string, corrections: ReadonlyMap<string, string>): string {
  return words.replace(WORD, (word) => corrections.get(word) ?? word)
}
