/**
 * How a token is refused. Whoever sent it hears one of two texts, neither of which helps in making a better forgery; the rule
 * that was broken stays inside, as the error's cause.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'

/** What any signed text can break. */
export type TextRule = 'size' | 'form' | 'json' | 'repeated key'

/** What a token can break, roughly in the order in which it is looked at. */
export type TokenRule =
  | TextRule
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

/** What a proof of possession can break. */
export type ProofRule =
  | TextRule
  | 'count'
  | 'type'
  | 'steering header'
  | 'algorithm'
  | 'key'
  | 'another key'
  | 'id'
  | 'method'
  | 'target'
  | 'time'
  | 'token'
  | 'signature'
  | 'used'

/** The reasons by which clients that prove their possession of a key are told what to mend. @source RFC 9449, 7.1 */
export const PROOF_REASONS = { proof: 'invalid_dpop_proof', token: 'invalid_token' } as const

/** The error for a proof of possession that breaks `rule`; to be thrown. */
export function refusedProof(rule: ProofRule): FlotillaError {
  return new FlotillaError('unauthenticated', 'The DPoP proof is not valid.', {
    executed: 'no',
    reason: PROOF_REASONS.proof,
    cause: rule,
  })
}

/** The error for a token that is not shown as its binding wants it; to be thrown. */
export function refusedBinding(message: string): FlotillaError {
  return new FlotillaError('unauthenticated', message, { executed: 'no', reason: PROOF_REASONS.token })
}
