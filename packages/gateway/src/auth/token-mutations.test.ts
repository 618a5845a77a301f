import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FlotillaError } from '@flotilla/core/error'
import fc from 'fast-check'
import { ed, openTokens, partners, ps256, token, withClaims } from './forge.test.ts'

/** How many mutants; 100,000 before a release. */
const RUNS = Number(process.env['FLOTILLA_MUTATIONS'] ?? 6_000)
const SEED = 20_261_121

const VALID = [
  token(),
  partners(),
  partners({}, { alg: 'EdDSA', kid: 'ed' }, ed()),
  partners({}, { alg: 'PS256', kid: 'ps' }, ps256()),
]
/** Valid, too, but never shown to the check whole: mutants may take parts of them. */
const DONOR = withClaims({ sub: 'admin', roles: ['admin'] }).split('.')

/** One change of a text; `at` and `to` are fractions of its length. */
type Change = (text: string, at: number, to: number, char: string) => string
const index = (text: string, at: number): number => Math.floor(at * text.length)
const inPart = (text: string, at: number, change: (bytes: Buffer) => Buffer): string => {
  const parts = text.split('.')
  const part = index('...', at)
  const bytes = Buffer.from(parts[part] ?? '', 'base64url')
  return parts.with(part % parts.length, change(bytes).toString('base64url')).join('.')
}

const changes: Readonly<Record<string, Change>> = {
  replace: (text, at, _, char) => text.slice(0, index(text, at)) + char + text.slice(index(text, at) + 1),
  insert: (text, at, _, char) => text.slice(0, index(text, at)) + char + text.slice(index(text, at)),
  remove: (text, at) => text.slice(0, index(text, at)) + text.slice(index(text, at) + 1),
  cut: (text, at) => text.slice(0, index(text, at)),
  repeat: (text, at, to) => text + text.slice(index(text, at), index(text, at) + index(text, to)),
  exchange: (text, at, to) => {
    const [i, k] = [index(text, at), index(text, to)].sort((a, b) => a - b) as [number, number]
    return i === k ? text : text.slice(0, i) + text[k] + text.slice(i + 1, k) + text[i] + text.slice(k + 1)
  },
  'flip a bit of what is encoded': (text, at, to) =>
    inPart(text, at, (bytes) => {
      const bit = Math.floor(to * bytes.length * 8)
      if (bytes.length > 0) bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
      return bytes
    }),
  'put a letter into what is encoded': (text, at, to, char) =>
    inPart(text, at, (bytes) => {
      const cut = Math.floor(to * bytes.length)
      return Buffer.concat([bytes.subarray(0, cut), Buffer.from(char), bytes.subarray(cut)])
    }),
  'put another digit into the claims': (text, _, to, char) =>
    inPart(text, 0.5, (bytes) => {
      const digits = [...bytes.toString('latin1').matchAll(/\d/g)]
      const digit = digits[Math.floor(to * digits.length)]?.index
      if (digit !== undefined) bytes[digit] = 0x30 + (char.charCodeAt(0) % 10)
      return bytes
    }),
  'take a part of another token': (text, at) =>
    text
      .split('.')
      .map((part, place) => (place === index('...', at) ? (DONOR[place] ?? '') : part))
      .join('.'),
}

const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const char = fc.oneof(
  fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'),
  fc.constantFrom('.', '=', '+', '/', ' ', '\0', '"', '{', '}', ','),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
)
const mutant = fc
  .tuple(
    fc.constantFrom(...VALID),
    fc.array(fc.tuple(fc.constantFrom(...Object.keys(changes)), fraction, fraction, char), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([text, steps]) =>
    steps.reduce((so, [name, at, to, its]) => (changes[name] as Change)(so, at, to, its), text),
  )

describe('AccessTokens', () => {
  it(`refuses ${RUNS} tokens that are a valid one with something changed`, async () => {
    const { tokens } = openTokens()
    for (const valid of VALID) await tokens.verify(valid)
    const broken = new Map<unknown, number>()
    await fc.assert(
      fc.asyncProperty(mutant, async (text) => {
        const error = await tokens.verify(text).then(
          () => undefined,
          (refusal: FlotillaError) => refusal,
        )
        if (error === undefined) return assert.ok(VALID.includes(text))
        assert.equal(error.code, 'unauthenticated')
        broken.set(error.cause, (broken.get(error.cause) ?? 0) + 1)
      }),
      { numRuns: RUNS, seed: SEED },
    )
    // Many get as far as the last line.
    assert.ok((broken.get('signature') ?? 0) > RUNS / 20, JSON.stringify([...broken]))
  })
})
