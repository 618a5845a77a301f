/**
 * The part of a description that shows why it was found, as safe HTML. The database marks the words by two characters of
 * Unicode's private use, which it takes out of the text before; everything is escaped, and only then the marks become
 * `<b>` and `</b>`. A third one stands in for `<`, which PostgreSQL would take for markup and leave out.
 *
 * @module
 */

/** What stands before and after a found word, and for `<`. */
const [BEFORE, AFTER, LESS] = ['\uE000', '\uE001', '\uE002']

/** What `translate` replaces in a description, and by what: the marks by nothing. */
export const TRANSLATION = { from: `<${BEFORE}${AFTER}${LESS}`, to: LESS } as const

const WORDS_MIN = 15
const WORDS_MAX = 35

/** How PostgreSQL's `ts_headline` makes a part of which `snippetOf` makes a snippet. */
export const HEADLINE = `StartSel=${BEFORE}, StopSel=${AFTER}, MinWords=${WORDS_MIN}, MaxWords=${WORDS_MAX}`

const HTML: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  [BEFORE]: '<b>',
  [AFTER]: '</b>',
  [LESS]: '&lt;',
}

/** The snippet of a marked part. */
export function snippetOf(headline: string): string {
  return headline.replace(/[&<>"'\uE000\uE001\uE002]/g, (character) => HTML[character] as string)
}
