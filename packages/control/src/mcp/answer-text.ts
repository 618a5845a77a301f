/**
 * Answers of the API as text for an assistant: few characters, one item a line, and never more than it can take in.
 *
 * Names, messages and fields come from whoever uses the system. They are written as JSON, so that nothing in them begins a line of ours, and
 * characters that people do not see are shown escaped, so that an assistant reads no more than its user does.
 *
 * @module
 */

/** What a tool says. */
export interface Answer {
  readonly text: string
  /** The same for programs; absent where the text is that already. */
  readonly structured?: Readonly<Record<string, unknown>>
}

/** Characters of an answer: some 8,000 tokens. */
export const TEXT_CHARS_MAX = 25_000
const LINE_CHARS_MAX = 4_000
/** What is left for the line that says what was cut. */
const TAIL_CHARS = 400
/** Controls, and what is there and has no width: joiners, marks of direction, tags. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]/gu
const DIGITS = 5
/** Numbers from here on are times, or so large that parts of one do not matter. */
const WHOLE_FROM = 1e9

/** An answer as lines: its single values first, then each list under its name, with a line for each item. */
export function linesOf(output: Readonly<Record<string, unknown>>): string[] {
  const entries = Object.entries(output)
  const facts = entries.filter(([, value]) => !Array.isArray(value))
  const lists = entries.filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]))
  return [
    ...(facts.length === 0 ? [] : [compact(Object.fromEntries(facts))]),
    ...lists.flatMap(([name, items]) => [`${name} (${items.length}):`, ...items.map(compact)]),
  ]
}

/** A value as JSON in one line: without the small pictures of the console, and with five digits of what is measured. */
export function compact(value: unknown): string {
  return shown(
    JSON.stringify(value, (name, part: unknown) => {
      if (name === 'spark') return undefined
      const isMeasured = typeof part === 'number' && !Number.isInteger(part) && Math.abs(part) < WHOLE_FROM
      return isMeasured ? Number(part.toPrecision(DIGITS)) : part
    }),
  )
}

/** A text in one line, in which everything is seen. */
export function shown(text: string): string {
  return text.replace(UNSEEN, (unseen) => {
    const units = Array.from({ length: unseen.length }, (_, index) => unseen.charCodeAt(index))
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
  })
}

/** The lines that there is room for. `narrowBy`: how to ask for less. */
export function bounded(lines: readonly string[], narrowBy: string): string {
  const taken: string[] = []
  let room = TEXT_CHARS_MAX - TAIL_CHARS
  for (const line of lines) {
    const fitting = cut(line, LINE_CHARS_MAX)
    room -= fitting.length + 1
    if (room < 0) break
    taken.push(fitting)
  }
  if (taken.length < lines.length)
    taken.push(
      `truncated: ${lines.length - taken.length} of ${lines.length} lines left out; narrow by ${narrowBy}`,
    )
  return taken.join('\n')
}

/** A text, or its beginning, and how much is missing. */
export function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text
  return `${text.slice(0, charsMax)}… (${text.length - charsMax} more characters)`
}
