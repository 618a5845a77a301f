/**
 * Cards and the tokens that stand for them. The vault is the only place that ever sees a card's number, and keeps no more of
 * it than the last four digits; the security code is looked at and forgotten.
 *
 * @module
 */

import type { Queries } from '@flotilla/core/queries'
import type { Random } from '@flotilla/core/random'
import { type Static, Type } from '@flotilla/core/schema'
import { sql } from '@flotilla/core/sql'

/** What the vault takes. */
export const CardInput = Type.Object(
  {
    number: Type.String({ pattern: '^[0-9]{12,19}$' }),
    /** `YYYY-MM`. */
    expiry: Type.String({ pattern: '^20[0-9]{2}-(0[1-9]|1[0-2])$' }),
    cvc: Type.String({ pattern: '^[0-9]{3,4}$' }),
  },
  { additionalProperties: false },
)

/** What may be shown of a card. */
export interface Card {
  readonly brand: string
  readonly last4: string
  /** `YYYY-MM`. */
  readonly expiry: string
}

/** A card that can be charged, or is refused. */
export interface TokenCard extends Card {
  readonly isDeclined: boolean
}

const TOKEN_BYTES = 18
/** The test card whose charges are declined; all others with a valid check digit are good. */
const DECLINED_NUMBER = '4000000000000002'

const testCard = { brand: 'visa', last4: '4242', expiry: '2030-12', isDeclined: false }
const testTokens: ReadonlyMap<string, TokenCard> = new Map([
  ['tok_ok', testCard],
  ['tok_slow', testCard],
  ['tok_timeout_after_charge', testCard],
  ['tok_error_once', testCard],
  ['tok_unknown', testCard],
  ['tok_declined', { ...testCard, last4: '0002', isDeclined: true }],
])

/** Turns a card into a token; undefined when its number is none, or it has run out. `month` is now, as `YYYY-MM`. */
export async function vaultCard(
  db: Queries,
  random: Random,
  month: string,
  { number, expiry }: Static<typeof CardInput>,
): Promise<(Card & { readonly token: string }) | undefined> {
  if (!hasCheckDigit(number) || expiry < month) return undefined
  const token = `tok_${Buffer.from(random.bytes(TOKEN_BYTES)).toString('base64url')}`
  const brand = brandOf(number)
  const last4 = number.slice(-4)
  await db.execute(sql`
    insert into card (token, brand, last4, expiry, is_declined)
    values (${token}, ${brand}, ${last4}, ${expiry}, ${number === DECLINED_NUMBER})`)
  return { token, brand, last4, expiry }
}

/** The card behind a token; undefined when there is none. */
export async function findCard(db: Queries, token: string): Promise<TokenCard | undefined> {
  return (
    testTokens.get(token) ??
    (await db.maybe<TokenCard>(sql`
      select brand, last4, expiry, is_declined as "isDeclined" from card where token = ${token}`))
  )
}

/** @source ISO/IEC 7812-1, annex B (the Luhn formula) */
function hasCheckDigit(number: string): boolean {
  let sum = 0
  for (let place = 0; place < number.length; place++) {
    const digit = Number(number[number.length - 1 - place])
    const doubled = digit * 2
    sum += place % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

function brandOf(number: string): string {
  if (number.startsWith('4')) return 'visa'
  if (/^(?:5[1-5]|2[2-7])/.test(number)) return 'mastercard'
  if (/^3[47]/.test(number)) return 'amex'
  return 'other'
}
