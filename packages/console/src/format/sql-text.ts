/**
 * SQL laid out for reading: each clause on a line of its own. It only breaks lines, never changes a word, and leaves quoted text and what
 * stands in brackets alone.
 *
 * @module
 */

const CLAUSE =
  /^(?:with|select|from|where|group by|having|order by|limit|offset|values|set|returning|on conflict|for update|for share|union(?: all)?|(?:left |right |full |cross |inner )?join|insert into|update|delete from)\b/i
const TOKENS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\s+|[()]|[^\s'"()]+/g
const TWO_WORDS = /^(?:group|order|on|for|left|right|full|cross|inner|insert|delete|union)$/i

/** `select a from b where c` in three lines. */
export function sqlLines(sql: string): string {
  const words = sql.match(TOKENS) ?? []
  let depth = 0
  let text = ''
  for (const [index, word] of words.entries()) {
    if (/^\s+$/.test(word)) {
      if (text !== '' && !/\s$/.test(text)) text += ' '
      continue
    }
    if (depth === 0 && text !== '' && CLAUSE.test(phraseAt(words, index)) && !isSecondWord(words, index)) {
      text = `${text.trimEnd()}\n`
    }
    if (word === '(') depth += 1
    else if (word === ')') depth = Math.max(0, depth - 1)
    text += word
  }
  return text.trim()
}

/** The word and the one after it. */
function phraseAt(words: readonly string[], index: number): string {
  return `${words[index]} ${words[index + 2] ?? ''}`
}

/** `join` after `left`, `update` after `for`: it stands where its first word does. */
function isSecondWord(words: readonly string[], index: number): boolean {
  const before = words[index - 2]
  return before !== undefined && TWO_WORDS.test(before) && CLAUSE.test(phraseAt(words, index - 2))
}
