import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { calculateJwkThumbprint } from 'jose'
import { ed, KEYS, NOW_S, ps256 } from './forge.test.ts'
import {
  EXPECTED,
  isRefusedProof,
  ORIGIN,
  openProofs,
  proof,
  publicJwk,
  REQUEST,
} from './press-proofs.test.ts'
import { isMadeFor, originsOf } from './proof-target.ts'

const isUsed = (error: unknown): boolean => isRefusedProof(error, 'used')

describe('Proofs', () => {
  it('takes a proof of the key that the token is bound to, of any of the algorithms', async () => {
    const { proofs } = openProofs()
    assert.equal(await proofs.check(proof(), REQUEST, EXPECTED), EXPECTED)
    for (const [alg, key, signed] of [
      ['EdDSA', KEYS.ed, ed()],
      ['PS256', KEYS.ps, ps256()],
    ] as const) {
      const jwk = publicJwk(key.publicKey)
      const thumbprint = await calculateJwkThumbprint(jwk)
      assert.equal(await proofs.check(proof({ alg, jwk }, {}, signed), REQUEST, thumbprint), thumbprint)
    }
  })

  it('tells whose a proof is, where any key will do and no token is shown', async () => {
    const { proofs } = openProofs()
    const request = { ...REQUEST, token: undefined }
    assert.equal(await proofs.check(proof({}, { ath: undefined }), request), EXPECTED)
  })

  it('takes one from a minute ago to half a minute ahead', async () => {
    const { proofs } = openProofs()
    for (const iat of [NOW_S - 60, NOW_S + 30]) await proofs.check(proof({}, { iat }), REQUEST, EXPECTED)
  })

  it('takes each once, at whichever gateway, also when it comes to several at the same time', async () => {
    const { all } = openProofs(3)
    const one = proof()
    const outcomes = await Promise.allSettled(
      [...all, ...all].map((proofs) => proofs.check(one, REQUEST, EXPECTED)),
    )
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const proofs of all) await assert.rejects(proofs.check(one, REQUEST, EXPECTED), isUsed)
    await all[1]?.check(proof(), REQUEST, EXPECTED)
  })

  it('takes none again as long as it would be good, by however little', async () => {
    const { clock, proofs } = openProofs()
    const one = proof({}, { iat: NOW_S + 30 })
    await proofs.check(one, REQUEST, EXPECTED)
    for (let passedS = 0; passedS < 90; passedS += 10) {
      await clock.advance(10_000)
      await assert.rejects(proofs.check(one, REQUEST, EXPECTED), isUsed)
    }
    await clock.advance(1_000)
    await assert.rejects(proofs.check(one, REQUEST, EXPECTED), (error) => isRefusedProof(error, 'time'))
  })

  it('takes each once by itself while nobody can be asked, and says so', async () => {
    const { all, metrics, state } = openProofs(2)
    state.isAway = true
    const one = proof()
    for (const proofs of all) {
      await proofs.check(one, REQUEST, EXPECTED)
      await assert.rejects(proofs.check(one, REQUEST, EXPECTED), isUsed)
    }
    assert.match(metrics.toPrometheus(), /^flotilla_gateway_proofs_alone_total(?:\{\})? 2$/m)
  })

  it('takes the same id from another key', async () => {
    const { proofs } = openProofs()
    await proofs.check(proof({}, { jti: 'same' }), REQUEST)
    const jwk = publicJwk(KEYS.ed.publicKey)
    await proofs.check(proof({ alg: 'EdDSA', jwk }, { jti: 'same' }, ed()), REQUEST)
  })
})

describe('isMadeFor', () => {
  const origins = originsOf([ORIGIN, 'http://[::1]:8080', 'http://localhost:80'])

  it('goes by what is meant, and leaves out query and fragment', () => {
    for (const htu of [
      `${ORIGIN}/a~b/c`,
      `${ORIGIN}/a~b/c?q=1`,
      `${ORIGIN}/a~b/c#top`,
      `${ORIGIN}:443/a~b/c`,
      'HTTPS://Shop.Example/a~b/c',
      `${ORIGIN}/a%7Eb/%63`,
      'http://[0:0:0:0:0:0:0:1]:8080/a~b/c',
      'http://localhost/a~b/c',
    ])
      assert.ok(isMadeFor(htu, origins, '/a%7eb/c'), htu)
    assert.ok(isMadeFor(ORIGIN, origins, '/'))
    assert.ok(isMadeFor(`${ORIGIN}/%c3%A9`, origins, '/%C3%a9'))
  })

  it('holds for a path if and only if its escapes mean the same', () => {
    const anyPath = fc.array(fc.constantFrom('a', '~', '%7e', '%61', '%2C', '%2c', ',', '/', 'A'))
    fc.assert(
      fc.property(anyPath, anyPath, (one, other) => {
        const [a, b] = [`/${one.join('')}`, `/${other.join('')}`]
        // A comma is reserved: escaped it is another path.
        const meant = (path: string) => decodeURIComponent(path.replace(/%2c/gi, '!'))
        assert.equal(isMadeFor(ORIGIN + a, origins, b), meant(a) === meant(b))
      }),
    )
  })

  it('originsOf takes origins alone', () => {
    for (const text of [
      '',
      'shop.example',
      `${ORIGIN}/shop`,
      `${ORIGIN}?`,
      'ftp://a',
      'https://a@b',
      'https://a:99999',
    ])
      assert.throws(() => originsOf([text]), { code: 'failed_precondition' }, text)
  })
})
