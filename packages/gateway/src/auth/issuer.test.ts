import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkIssuers, type Issuer } from './issuer.ts'

const ours: Issuer = { issuer: 'us', audience: 'shop', algorithms: ['ES256'], keys: { keys: [] } }
const theirs: Issuer = { ...ours, issuer: 'them', claims: { name: 'them' } }

describe('checkIssuers', () => {
  it('takes one of our own and any number of others', () => {
    checkIssuers([ours, theirs, { ...theirs, issuer: 'more', claims: { name: 'm-2' } }])
  })

  for (const [what, issuers] of Object.entries<readonly Issuer[]>({
    'the same iss twice': [ours, { ...theirs, issuer: 'us' }],
    'the same name twice': [ours, theirs, { ...theirs, issuer: 'more' }],
    'two of our own': [ours, { ...ours, issuer: 'more' }],
    'an empty iss': [{ ...ours, issuer: '' }],
    'an empty audience': [{ ...ours, audience: '' }],
    'no algorithm': [{ ...ours, algorithms: [] }],
    'an algorithm with a shared secret': [{ ...ours, algorithms: ['HS256' as 'ES256'] }],
    'the algorithm none': [{ ...ours, algorithms: ['ES256', 'none' as 'ES256'] }],
    'a name that is empty': [ours, { ...theirs, claims: { name: '' } }],
    'a name that could end elsewhere': [ours, { ...theirs, claims: { name: 'a|b' } }],
    'a name of 33 letters': [ours, { ...theirs, claims: { name: 'a'.repeat(33) } }],
  })) {
    it(`refuses ${what}`, () => {
      assert.throws(() => checkIssuers(issuers), { code: 'failed_precondition' })
    })
  }
})
