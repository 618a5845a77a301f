import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sharedGateway, type TestGateway } from './open-gateway.test.ts'
import { sharedSecureGateway } from './open-secure-gateway.test.ts'
import { openProver, type Prover } from './prove.test.ts'

const ME = '/api/v1/me'
const BIND = '/api/v1/bind'
const ALGS = 'algs="ES256 EdDSA PS256"'
const BAD_PROOF = `DPoP error="invalid_dpop_proof", ${ALGS}`
const BAD_TOKEN = `DPoP error="invalid_token", ${ALGS}`

interface Client {
  readonly url: (path: string) => string
  readonly prover: Prover
  /** Bound to the prover's key. */
  readonly token: string
}

async function clientOf(
  { app, port, token }: Pick<TestGateway, 'app' | 'port' | 'token'>,
  scheme = 'http',
): Promise<Client> {
  const prover = await openProver(() => app.ports.clock.now())
  const url = (path: string): string => `${scheme}://127.0.0.1:${port}${path}`
  return { url, prover, token: await token('u1', { cnf: { jkt: prover.thumbprint } }) }
}

describe('A token that is bound to a key', () => {
  const gateway = sharedGateway()

  const asked = async (headers: Readonly<Record<string, string>>, path = ME, method = 'GET') => {
    const { status, headers: its } = await gateway().ask(path, { method, headers })
    return [status, its['www-authenticate']]
  }

  it('is taken with a proof of that key, each time with another', async () => {
    const { prover, token, url } = await clientOf(gateway())
    for (let time = 0; time < 3; time++)
      assert.deepEqual(await asked(await prover.headers('GET', url(ME), token)), [200, undefined])
    const one = await prover.headers('GET', url(ME), token)
    assert.deepEqual(await asked(one), [200, undefined])
    assert.deepEqual(await asked(one), [401, BAD_PROOF])
    assert.deepEqual(await asked({ ...one, authorization: `dpop ${token}` }), [401, BAD_PROOF])
  })

  it('is refused as Bearer, with a proof and without, also when it is known', async () => {
    const { prover, token, url } = await clientOf(gateway())
    const authorization = `Bearer ${token}`
    for (let time = 0; time < 2; time++) {
      assert.deepEqual(await asked({ authorization }), [401, BAD_TOKEN])
      const dpop = await prover.prove('GET', url(ME), token)
      assert.deepEqual(await asked({ authorization, dpop }), [401, BAD_TOKEN])
      assert.deepEqual(await asked(await prover.headers('GET', url(ME), token)), [200, undefined])
    }
  })

  it('is refused without a proof, with two, and with one of another key, request or token', async () => {
    const { prover, token, url } = await clientOf(gateway())
    const other = await clientOf(gateway())
    const authorization = `DPoP ${token}`
    assert.deepEqual(await asked({ authorization }), [401, BAD_PROOF])
    for (const dpop of [
      '',
      'x',
      await other.prover.prove('GET', url(ME), token),
      await prover.prove('POST', url(ME), token),
      await prover.prove('GET', url('/api/v1/things'), token),
      await prover.prove('GET', `http://evil.example${ME}`, token),
      await prover.prove('GET', url(ME)),
      await prover.prove('GET', url(ME), other.token),
      await prover.prove('GET', url(ME), token, { iat: 1 }),
    ])
      assert.deepEqual(await asked({ authorization, dpop }), [401, BAD_PROOF])
    const [one, two] = [await prover.prove('GET', url(ME), token), await prover.prove('GET', url(ME), token)]
    assert.deepEqual(await asked({ authorization, dpop: `${one}, ${two}` }), [401, BAD_PROOF])
    const raw = `GET ${ME} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: ${authorization}\r\nDPoP: ${one}\r\ndpop: ${two}\r\n\r\n`
    assert.match(await gateway().raw(raw), /^HTTP\/1\.1 401 /)
    assert.deepEqual(await asked({ authorization, dpop: one }), [200, undefined], 'it was not used up')
  })

  it('goes by what the gateway is called, and by nothing that the request says', async () => {
    const { prover, token, url } = await clientOf(gateway())
    const elsewhere = {
      authorization: `DPoP ${token}`,
      dpop: await prover.prove('GET', `http://evil.example${ME}`, token),
    }
    for (const name of ['host', 'x-forwarded-host', 'x-original-host', 'forwarded']) {
      const value = name === 'forwarded' ? 'host=evil.example' : 'evil.example'
      assert.deepEqual(await asked({ ...elsewhere, [name]: value }), [401, BAD_PROOF], name)
    }
    const ours = await prover.headers('GET', url(ME), token)
    assert.deepEqual(await asked({ ...ours, host: 'behind.a.proxy', 'x-forwarded-proto': 'https' }), [
      200,
      undefined,
    ])
    const dpop = await prover.prove('GET', url('/api/v1/things?limit=1'), token)
    assert.deepEqual(await asked({ ...ours, dpop }, '/api/v1/things?limit=2&tag=a'), [200, undefined])
  })

  it('tokens that are bound to none, or to what nobody knows, are refused by the scheme DPoP', async () => {
    const { prover, url } = await clientOf(gateway())
    const free = await gateway().token('u1')
    assert.deepEqual(await asked(await prover.headers('GET', url(ME), free)), [401, BAD_TOKEN])
    assert.deepEqual(await asked({ authorization: `Bearer ${free}` }), [200, undefined])
    const certificate = await gateway().token('u1', { cnf: { 'x5t#S256': 'A'.repeat(43) } })
    assert.deepEqual(await asked(await prover.headers('GET', url(ME), certificate)), [401, BAD_TOKEN])
    for (const cnf of [
      { jwk: {} },
      { kid: 'a' },
      {},
      { jkt: prover.thumbprint, 'x5t#S256': 'A'.repeat(43) },
    ]) {
      const token = await gateway().token('u1', { cnf })
      assert.deepEqual(await asked(await prover.headers('GET', url(ME), token)), [401, BAD_TOKEN])
      assert.deepEqual(await asked({ authorization: `Bearer ${token}` }), [401, 'Bearer'])
    }
    assert.deepEqual(await asked({ authorization: 'DPoP' }), [401, 'Bearer'])
    assert.deepEqual(await asked(await prover.headers('GET', url(ME), 'a.b.c')), [401, BAD_TOKEN])
  })
})

describe('An operation that binds to a proven key', () => {
  const gateway = sharedGateway()

  const bind = async (headers: Readonly<Record<string, string>> = {}, json: object = {}) => {
    const { status, body } = await gateway().ask(BIND, { headers, json })
    return status === 200 ? body : status
  }

  it('is told the key of a proof, whoever asks, and none without', async () => {
    const { prover, token, url } = await clientOf(gateway())
    const key = prover.thumbprint
    assert.deepEqual(await bind(), { key: 'none', user: 'nobody' })
    const dpop = await prover.prove('POST', url(BIND))
    assert.deepEqual(await bind({ dpop }), { key, user: 'nobody' })
    assert.equal(await bind({ dpop }), 401)
    const bound = await prover.headers('POST', url(BIND), token)
    assert.deepEqual(await bind(bound), { key, user: 'u1' })
    const free = await gateway().token('u2')
    const authorization = `Bearer ${free}`
    assert.deepEqual(await bind({ authorization }), { key: 'none', user: 'u2' })
    const its = await prover.prove('POST', url(BIND), free)
    assert.deepEqual(await bind({ authorization, dpop: its }), { key, user: 'u2' })
  })

  it('refuses a proof that is none, and a key that nobody has proven', async () => {
    const { prover, url } = await clientOf(gateway())
    assert.equal(await bind({ dpop: 'x' }), 401)
    assert.equal(await bind({ dpop: await prover.prove('POST', url(ME)) }), 401)
    const authorization = `Bearer ${await gateway().token('u2')}`
    assert.equal(await bind({ authorization, dpop: await prover.prove('POST', url(BIND)) }), 401)
    assert.equal(await bind({}, { key: prover.thumbprint }), 400)
    assert.equal(await bind({ dpop: await prover.prove('POST', url(BIND)) }, { key: 'mine' }), 400)
  })
})

describe('A token that is bound to a key, by TLS', () => {
  const gateway = sharedSecureGateway({ GATEWAY_PUBLIC_ORIGINS: 'https://shop.example' })

  it('is taken with a proof for the public origin, by both versions of HTTP', async () => {
    const { prover, token, url } = await clientOf(gateway(), 'https')
    for (const protocol of ['h1', 'h2'] as const) {
      const status = async (target: string): Promise<number> => {
        const headers = await prover.headers('GET', target, token)
        return (await gateway().ask(ME, { headers }, { protocol })).status
      }
      assert.equal(await status(`https://shop.example${ME}`), 200)
      assert.equal(await status(`http://shop.example${ME}`), 401)
      assert.equal(await status(url(ME)), 401, 'the origins that are named are all')
    }
  })
})
