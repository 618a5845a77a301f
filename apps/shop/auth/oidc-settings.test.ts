import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { providersOf } from './oidc-settings.ts'
import type { AuthSettings } from './settings.ts'

const GOOD = {
  name: 'one',
  issuer: 'https://id.example',
  clientId: 'shop',
  clientSecret: 'a secret of the tests',
  algorithm: 'RS256',
}
const demo = { demoProviderUrl: 'http://127.0.0.1:8060', demoProviderSecret: 'a secret of the demo' }

const read = (providers: unknown, more: Partial<AuthSettings> = {}) =>
  providersOf({
    publicUrl: '',
    gatewayUrl: '',
    oidcProviders: typeof providers === 'string' ? providers : JSON.stringify(providers),
    demoLogin: true,
    demoProviderUrl: '',
    ...more,
  })

describe('providersOf', () => {
  it('reads the providers, and knows the demo unless it is turned off', () => {
    assert.deepEqual(read([]), [])
    assert.deepEqual(read([GOOD]), [GOOD])
    assert.deepEqual(
      read([GOOD], demo).map(({ name, issuer }) => [name, issuer]),
      [
        ['one', GOOD.issuer],
        ['demo', demo.demoProviderUrl],
      ],
    )
    assert.deepEqual(read([], { ...demo, demoLogin: false }), [])
  })

  it('says what is wrong, and never a secret', () => {
    const wrong: readonly (readonly [RegExp, unknown, Partial<AuthSettings>?])[] = [
      [/no JSON/, '[{"clientSecret":"a secret of the tests"'],
      [/array/, {}],
      [/known field/, [{ ...GOOD, url: 'x' }]],
      [/algorithm/, [{ ...GOOD, algorithm: 'HS256' }]],
      [/algorithm/, [{ ...GOOD, algorithm: 'none' }]],
      [/name/, [{ ...GOOD, name: '../admin' }]],
      [/no https URL/, [{ ...GOOD, issuer: 'http://id.example' }]],
      [/no https URL/, [{ ...GOOD, issuer: 'http://127.0.0.1.evil.test' }]],
      [/no https URL/, [{ ...GOOD, issuer: 'http://169.254.169.254/' }]],
      [/no https URL/, [{ ...GOOD, issuer: 'file:///etc/passwd' }]],
      [/no https URL/, [{ ...GOOD, issuer: 'id.example' }]],
      [/twice/, [GOOD, { ...GOOD, issuer: 'https://other.example' }]],
      [/twice/, [GOOD, { ...GOOD, name: 'two' }]],
      [/twice/, [{ ...GOOD, name: 'demo' }], demo],
    ]
    for (const [why, providers, more] of wrong) {
      assert.throws(
        () => read(providers, more),
        ({ code, message }: { code: string; message: string }) => {
          assert.equal(code, 'failed_precondition')
          assert.match(message, why)
          assert.ok(!message.includes('secret'))
          return true
        },
      )
    }
  })
})
