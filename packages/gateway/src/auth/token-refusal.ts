/**
 * How a token is refused. Whoever sent it hears one of two texts, neither of which helps in making a better forgery; the rule
 * that was broken stays inside, as the error's cause.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'

/** What a token can break, roughly in the order in which it is looked at. */
export type TokenRule =
  | 'size'
  | 'form'
  | 'json'
  | 'repeated key'
  | 'steering header'
  | 'type'
  | 'key name'
  | 'issuer'
  | 'unknown key'
  | 'algorithm'
  | 'signature'
  | 'times'
  | 'expired'
  | 'not valid yet'
  | 'lifetime'
  | 'audience'
  | 'subject'
  | 'other kind'
  | 'bound to a key'
  | 'scope'
  | 'roles and tier'
  | 'session'
  | 'session over'

/** The error for a token that breaks `rule`; to be thrown. */
export function refused(rule: TokenRule): FlotillaError {
  const why = rule === 'expired' ? 'has expired' : 'is not valid'
  return new FlotillaError('unauthenticated', `The access token ${why}.`, { executed: 'no', cause: rule })
}
