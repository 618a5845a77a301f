/**
 * Who can log in at the demo identity provider: whoever chooses to.
 *
 * @module
 */

/** Somebody. */
export interface DemoPerson {
  readonly subject: string
  readonly name: string
  readonly email: string
  readonly isEmailVerified: boolean
}

/** All of them. */
export const people: readonly DemoPerson[] = [
  { subject: 'demo-1', name: 'Ada Demo', email: 'ada@demo.test', isEmailVerified: true },
  { subject: 'demo-2', name: 'Ben Demo', email: 'ben@demo.test', isEmailVerified: true },
  { subject: 'demo-3', name: 'Cem Demo', email: 'cem@demo.test', isEmailVerified: false },
]
