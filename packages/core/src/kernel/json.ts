/**
 * JSON: reading what strangers wrote, and pointing into it.
 *
 * @module
 */
import { FlotillaError } from './error.ts'

const DEPTH_MAX = 32
/** Of an object: with a hundred thousand names, it takes hundreds of times as long to look at as to send. */
const NAMES_MAX = 1_000

/**
 * Parses a body from outside.
 *
 * @throws FlotillaError `invalid_argument` when it is not JSON, nests deeper than 32 levels, has an object of more than 1,000 names, a key named
 *   `__proto__` or `constructor` (they mean something to JavaScript, and nothing honest to us), or a text with NUL or half
 *   a surrogate pair (no database keeps them as they are).
 */
export function parseUntrustedJson(text: string): unknown {
  const excess = excessIn(text)
  if (excess !== undefined) throw refuse(excess)
  try {
    // The scan is a filter for the common case; only a text that contains the words pays for the exact check.
    const mayBeDangerous = text.includes('proto') || text.includes('constructor') || text.includes('\\u')
    return mayBeDangerous ? JSON.parse(text, refuseDangerous) : JSON.parse(text)
  } catch (error) {
    if (error instanceof FlotillaError) throw error
    throw refuse('The body is not valid JSON.')
  }
}

function refuse(message: string): FlotillaError {
  return new FlotillaError('invalid_argument', message, {
    executed: 'no',
    issues: [{ pointer: '', message }],
  })
}

function refuseDangerous(key: string, value: unknown): unknown {
  if (key === '__proto__' || key === 'constructor') throw refuse(`The key ${key} is not allowed.`)
  refuseBrokenText(key)
  if (typeof value === 'string') refuseBrokenText(value)
  return value
}

/** Only escapes can bring these about: JSON takes no control character as it is, and UTF-8 no half of a pair. */
function refuseBrokenText(text: string): void {
  if (text.includes('\0') || /\p{Surrogate}/u.test(text))
    throw refuse('A text has a character that cannot be kept: \\u0000, or half of a surrogate pair.')
}

/** What is too much of; counts outside strings. A text that is not JSON gets a meaningless answer and fails in the parser. */
function excessIn(text: string): string | undefined {
  const names = new Uint32Array(DEPTH_MAX + 1)
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    const char = text.charCodeAt(index)
    if (char === 0x22) index = endOfString(text, index)
    else if (char === 0x7b || char === 0x5b) {
      if (++depth > DEPTH_MAX) return `The body nests deeper than ${DEPTH_MAX} levels.`
      names[depth] = 0
    } else if (char === 0x7d || char === 0x5d) depth--
    else if (char === 0x3a && ++(names[depth] as number) > NAMES_MAX)
      return `The body has an object of more than ${NAMES_MAX} names.`
  }
  return undefined
}

/** Where the string that begins at `start` has its other quote. */
function endOfString(text: string, start: number): number {
  let index = start + 1
  for (; index < text.length; index++) {
    const char = text.charCodeAt(index)
    if (char === 0x5c) index++
    else if (char === 0x22) break
  }
  return index
}

/**
 * One step of a JSON pointer: into the field called `name`.
 *
 * @source RFC 6901, section 3
 */
export function pointerTo(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
