import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { isFlotillaError } from '@flotilla/core/error'
import { TlsMaterialFiles } from '../http/tls-material.ts'
import { makeCa, makeCertificate } from './make-certificates.test.ts'

describe('TlsMaterialFiles', () => {
  function files(t: TestContext, cert: string, key: string, ca: string): TlsMaterialFiles {
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-tls-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const paths = {
      certificate: join(folder, 'cert'),
      key: join(folder, 'key'),
      clientCa: join(folder, 'ca'),
    }
    writeFileSync(paths.certificate, cert)
    if (key !== '') writeFileSync(paths.key, key)
    writeFileSync(paths.clientCa, ca)
    return new TlsMaterialFiles(paths, systemClock)
  }

  it('reads what goes together, and says what is wrong with the rest', async (t) => {
    const ca = await makeCa('a')
    const { cert, key } = await makeCertificate(ca, { name: 'a', isServer: true })
    const other = await makeCertificate(ca, { name: 'b', isServer: true })
    const late = await makeCertificate(ca, { name: 'c', isServer: true, lifeMs: -1 })
    const early = await makeCertificate(ca, {
      name: 'd',
      isServer: true,
      lifeMs: 7_200_000,
      afterMs: 3_600_000,
    })
    const material = await files(t, cert + ca.cert, key, ca.cert + ca.cert).read()
    assert.equal(material.ca?.length, 2)
    const leftMs = material.expiresAtMs - systemClock.now()
    assert.ok(leftMs > 3_500_000 && leftMs <= 3_600_000, `${leftMs}`)
    const cases: readonly (readonly [why: RegExp, cert: string, key: string, ca: string])[] = [
      [/key in .* is not that of the certificate in/, cert, other.key, ca.cert],
      [/no such file/, cert, '', ca.cert],
      [/TLS cannot be spoken/, cert, 'none', ca.cert],
      [/TLS cannot be spoken/, cert, key.slice(0, 100), ca.cert],
      [/there is no certificate in/, 'none', key, ca.cert],
      [/there is no certificate in/, cert.slice(0, 200), key, ca.cert],
      [/TLS cannot be spoken/, cert.replace(/\n\w{20}/, `\n${'A'.repeat(20)}`), key, ca.cert],
      [/has expired/, late.cert, late.key, ca.cert],
      [/is not valid yet/, early.cert, early.key, ca.cert],
      [/there is no certificate in/, cert, key, ''],
      [/CN=b is not that of a CA/, cert, key, ca.cert + other.cert],
    ]
    for (const [why, itsCert, itsKey, itsCa] of cases) {
      await assert.rejects(files(t, itsCert, itsKey, itsCa).read(), (error) => {
        assert.ok(isFlotillaError(error))
        assert.match(error.message, why)
        assert.doesNotMatch(error.message, /PRIVATE|BEGIN/)
        return true
      })
    }
  })
})
