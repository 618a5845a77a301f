/**
 * Refuses passwords that are long without being hard to guess.
 *
 * Lists of leaked passwords hold few of fifteen characters and more, and those are built alike: a famous short password written
 * twice, one with a row of the keyboard behind it, one's own name with a year. So instead of a list of whole passwords
 * there is one of what they are built from: whatever of it a password contains is taken away, and enough must be left.
 *
 * @source NIST SP 800-63B-4, 3.1.1.2: blocklist, context-specific words, no rules of composition
 * @module
 */

/** From the heads of public lists of leaked passwords; rows of keyboards; this shop. The longer ones first. */
const FAMOUS = `
  abcdefghijklmnopqrstuvwxyz qwertyuiop qwertzuiop asdfghjkl zxcvbnm qwerty qwertz azerty asdfgh zxcvbn asdf qwer zxcv
  1q2w3e4r5t6y7u8i9o0p 1qaz2wsx3edc4rfv 1q2w3e4r5t 1q2w3e4r 1qaz2wsx 1q2w3e 6y7u8i9o0p 6y7u8i qazwsxedc qazwsx q1w2e3r4
  password passwort passwd contrasena motdepasse kennwort geheim secret login welcome willkommen bienvenue letmein
  changeme default administrator admin root superuser user guest test testing temp master access
  iloveyou trustno1 sunshine princess football baseball basketball superman batman dragon monkey shadow michael jordan
  jennifer jessica ashley charlie daniel thomas hunter killer pokemon starwars computer internet whatever freedom
  liverpool chelsea arsenal barcelona pepper ginger cookie summer winter spring autumn january february march april june july
  august september october november december monday friday sunday hello lovely loveme love flower angel
  p@ssw0rd passw0rd qwerty123 abc123 correcthorsebatterystaple correcthorse batterystaple
  flotilla shop
`
  .trim()
  .split(/\s+/)
  .sort((a, b) => b.length - a.length)

const LEFT_CHARS_MIN = 6
const DIFFERENT_CHARS_MIN = 5
/** Shorter parts of a name or an address are in every other sentence by chance. */
const OWN_WORD_CHARS_MIN = 3

/** Whether `password` is little more than famous passwords, repetitions, counting, and what is known of its owner. */
export function isWeakPassword(
  password: string,
  owner: { readonly email: string; readonly name: string },
): boolean {
  const own = [owner.email, owner.name, ...`${owner.email} ${owner.name}`.split(/[^\p{L}\p{N}]+/u)]
    .map((word) => word.toLowerCase())
    .filter((word) => word.length >= OWN_WORD_CHARS_MIN)
    .sort((a, b) => b.length - a.length)
  let left = once(password.toLowerCase())
  for (const word of [...own, ...FAMOUS]) left = left.replaceAll(word, ' ')
  left = withoutRuns(left.replaceAll(/(?:19|20)\d\d/g, ' ')).replaceAll(/\s/g, '')
  const characters = [...left]
  return characters.length < LEFT_CHARS_MIN || new Set(characters).size < DIFFERENT_CHARS_MIN
}

/** What is repeated, if the whole is a repetition; else the whole. */
function once(text: string): string {
  // A text is found in its double, after the first place, where one repetition ends.
  return text.slice(0, (text + text).indexOf(text, 1))
}

/** Keeps the first of characters that are each the same as, one more than or one less than the one before. */
function withoutRuns(text: string): string {
  let kept = ''
  let previous = Number.NaN
  for (const character of text) {
    const code = character.codePointAt(0) as number
    if (!(Math.abs(code - previous) <= 1)) kept += character
    previous = code
  }
  return kept
}
