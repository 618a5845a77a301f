/**
 * Whether a proof of possession was made for the request that it came with: its `htu` against where clients find this gateway, and
 * the path that was asked for. Pure.
 *
 * @source RFC 9449, 4.3, point 9; RFC 3986, 6.2.2 and 6.2.3 (normalisation)
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'

/** Nothing that a parser would mend: no user, no backslash, no space; escapes are whole. */
const TARGET =
  /^(https?):\/\/((?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?)(\/(?:[\w.~!$&'()*+,;=:@/-]|%[0-9a-f]{2})*)?(?:[?#][\x21-\x7e]*)?$/i
const TARGET_CHARS_MAX = 2_048
const UNRESERVED = /[\w.~-]/

/**
 * The origins of a list, as `isMadeFor` compares them.
 *
 * @throws FlotillaError `failed_precondition` when one is none, such as `https://shop.example`.
 */
export function originsOf(texts: readonly string[]): ReadonlySet<string> {
  return new Set(
    texts.map((text) => {
      const origin = TARGET.test(text) && URL.canParse(text) ? new URL(text) : undefined
      if (origin?.href === `${origin?.origin}/`) return origin.origin
      throw new FlotillaError(
        'failed_precondition',
        `'${text}' in GATEWAY_PUBLIC_ORIGINS is not an origin such as https://shop.example.`,
        { executed: 'no' },
      )
    }),
  )
}

/** Whether `htu` is, but for query and fragment, that path at one of the origins. */
export function isMadeFor(htu: string, origins: ReadonlySet<string>, path: string): boolean {
  if (htu.length > TARGET_CHARS_MAX) return false
  const [matched, scheme, authority, itsPath = '/'] = TARGET.exec(htu) ?? []
  if (matched === undefined || !URL.canParse(`${scheme}://${authority}`)) return false
  return origins.has(new URL(`${scheme}://${authority}`).origin) && normalised(itsPath) === normalised(path)
}

/** Escapes that need not be are undone, others are written in capitals. Dots stay as they are: requests have none to resolve. */
function normalised(path: string): string {
  return path.replace(/%[0-9a-f]{2}/gi, (escaped) => {
    const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
    return UNRESERVED.test(character) ? character : escaped.toUpperCase()
  })
}
