import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import { makeCa, makeCertificate, type Pair } from './make-certificates.test.ts'
import { openTestGateway, ROBOT } from './open-gateway.test.ts'
import { openOnce } from './open-once.test.ts'
import {
  askOn,
  clientsOf,
  makeFiles,
  openSecureGateway,
  type SecureGateway,
  sharedSecureGateway,
} from './open-secure-gateway.test.ts'
import { openStrictGateway } from './strict-gateway.test.ts'

const CHANGE_MS = 5_000

/** Common name of the certificate that handshakes get now. */
async function shown({ socket }: Pick<SecureGateway, 'socket'>): Promise<string | undefined> {
  const its = await socket()
  const name = its.getPeerX509Certificate()?.subject
  its.destroy()
  return name
}

function metric({ app }: Pick<SecureGateway, 'app'>, name: string): number {
  const text = app.hostOf('gateway').metrics.toPrometheus()
  return Number(new RegExp(`^flotilla_gateway_certificate_${name} (\\S+)$`, 'm').exec(text)?.[1])
}

describe('The certificate of the gateway', { timeout: 60_000 }, () => {
  const shared = sharedSecureGateway()

  it('changes without a request failing, or a connection', async () => {
    const gateway = shared()
    assert.equal(await shown(gateway), 'CN=first')
    const leftS = metric(gateway, 'expires_seconds')
    assert.ok(leftS > 3_500 && leftS <= 3_600, `${leftS}`)
    const held = gateway.session()
    let isClosed = false
    held.on('close', () => {
      isClosed = true
    })
    let isLoaded = true
    let answered = 0
    const load = async (ask: () => Promise<{ readonly status: number }>): Promise<void> => {
      while (isLoaded) {
        assert.equal((await ask()).status, 200)
        answered++
      }
    }
    const loads = [
      load(() => askOn(held, '/api/v1/things')),
      load(() => gateway.ask('/api/v1/things')),
      load(() => gateway.ask('/api/v1/things', {}, { protocol: 'h1' })),
    ]
    for (const name of ['second', 'third']) {
      gateway.install(await makeCertificate(gateway.ca, { name, isServer: true, lifeMs: 1_800_000 }))
      await until(`${name} is shown`, async () => (await shown(gateway)) === `CN=${name}`, CHANGE_MS)
      const before = answered
      await until('many are answered', () => answered > before + 30)
    }
    isLoaded = false
    await Promise.all(loads)
    assert.equal(isClosed, false)
    held.destroy()
    assert.equal(metric(gateway, 'refused'), 0)
    assert.ok(metric(gateway, 'expires_seconds') <= 1_800)
  })

  it('stays when the new one cannot be used, until there is one that can', async () => {
    const gateway = shared()
    const before = await shown(gateway)
    const [good, other] = await Promise.all(
      ['good', 'other'].map((name) => makeCertificate(gateway.ca, { name, isServer: true })),
    )
    gateway.install({ cert: good?.cert ?? '', key: other?.key ?? '' })
    await until('it is refused', () => metric(gateway, 'refused') === 1, CHANGE_MS)
    assert.equal(await shown(gateway), before)
    assert.equal((await gateway.ask('/health')).status, 200)
    gateway.install(good as Pair)
    await until('it is mended', () => metric(gateway, 'refused') === 0, CHANGE_MS)
    assert.equal(await shown(gateway), 'CN=good')
  })

  it('must be good at the start, and its settings whole', async (t) => {
    const { environment, clientCaPath } = await makeFiles(t)
    const fails = (its: Readonly<Record<string, string>>, why: RegExp): Promise<void> =>
      assert.rejects(openStrictGateway(t, its), why)
    const { GATEWAY_TLS_CERTIFICATE: certificate = '' } = environment
    const ca = { GATEWAY_TLS_CLIENT_CA: clientCaPath, GATEWAY_TLS_CLIENT_CERTIFICATE: 'require' }
    await Promise.all([
      fails({ GATEWAY_TLS_CERTIFICATE: certificate }, /GATEWAY_TLS_CERTIFICATE and GATEWAY_TLS_KEY/),
      fails({ ...environment, GATEWAY_TLS_CLIENT_CERTIFICATE: 'require' }, /GATEWAY_TLS_CLIENT_CA goes/),
      fails({ ...environment, GATEWAY_TLS_CLIENT_CA: clientCaPath }, /GATEWAY_TLS_CLIENT_CA goes/),
      fails(ca, /need GATEWAY_TLS_CERTIFICATE/),
      fails({ ...environment, GATEWAY_TLS_KEY: certificate }, /TLS cannot be spoken/),
    ])
  })

  it('is shown by TLS 1.2 and 1.3, and HSTS can be left away', async (t) => {
    const gateway = await openSecureGateway(t, { GATEWAY_TLS_HSTS: 'false' })
    assert.equal((await gateway.ask('/health')).headers['strict-transport-security'], undefined)
    const [old, now] = await Promise.all([gateway.socket({ version: 'TLSv1.2' }), gateway.socket()])
    assert.deepEqual([old.getProtocol(), now.getProtocol()], ['TLSv1.2', 'TLSv1.3'])
    old.destroy()
    now.destroy()
    await assert.rejects(gateway.socket({ version: 'TLSv1.1' }))
    // Who speaks plain text here gets nothing.
    assert.doesNotMatch(await gateway.raw('GET /health HTTP/1.1\r\nHost: a\r\n\r\n'), /HTTP/)
  })
})

async function openFor(
  t: { after(cleanUp: () => Promise<void>): void },
  mode: string,
): Promise<SecureGateway> {
  const files = await makeFiles(t)
  const gateway = await openTestGateway(t, {
    ...files.environment,
    GATEWAY_TLS_CLIENT_CA: files.clientCaPath,
    GATEWAY_TLS_CLIENT_CERTIFICATE: mode,
  })
  return { ...gateway, ...clientsOf(() => gateway.port, files) }
}

describe('A certificate of a client', { timeout: 60_000 }, () => {
  const requesting = openOnce((t) => openFor(t, 'request'))
  const requiring = openOnce((t) => openFor(t, 'require'))

  it('is required where it is, and good wherever it is shown', async () => {
    const both = [requesting(), requiring()] as const
    for (const [index, { ask, ca, clientCa }] of both.entries()) {
      const strangers = await makeCa('Clients')
      const good = await makeCertificate(clientCa, { name: 'a' })
      const signed = await makeCertificate(good, { name: 'a' })
      const bad: Readonly<Record<string, Pair>> = {
        'of another CA': await makeCertificate(strangers, { name: 'a' }),
        'of the CA of servers': await makeCertificate(ca, { name: 'a' }),
        'that has expired': await makeCertificate(clientCa, { name: 'a', lifeMs: -1 }),
        'for servers': await makeCertificate(clientCa, { name: 'a', isServer: true }),
        'signed by itself': await makeCa('a'),
        'signed by one that is no CA': { cert: signed.cert + good.cert, key: signed.key },
      }
      for (const protocol of ['h1', 'h2'] as const) {
        assert.equal((await ask('/api/v1/things', {}, { protocol, certificate: good })).status, 200)
        for (const [what, certificate] of Object.entries(bad)) {
          await assert.rejects(ask('/api/v1/things', {}, { protocol, certificate }), `${what} by ${protocol}`)
        }
        const without = ask('/api/v1/things', {}, { protocol })
        if (index === 0) assert.equal((await without).status, 200)
        else await assert.rejects(without)
      }
    }
  })

  it('stands for a user where the app says so', async () => {
    const { ask, clientCa, token } = requesting()
    const robot = await makeCertificate(clientCa, { name: 'a', uris: ['https://a.test', ROBOT] })
    const others = [
      await makeCertificate(clientCa, { name: ROBOT }),
      await makeCertificate(clientCa, { name: 'a', uris: [`${ROBOT}/b`] }),
      await makeCertificate(clientCa, { name: 'a', uris: [`https://a.test/, URI:${ROBOT}`] }),
      undefined,
    ]
    for (const protocol of ['h1', 'h2'] as const) {
      const me = (certificate?: Pair, headers: Readonly<Record<string, string>> = {}) =>
        ask('/api/v1/me', { headers }, { protocol, certificate })
      const { status, body } = await me(robot)
      assert.deepEqual(
        [status, body['user']],
        [200, { id: 'robot', roles: ['robot'], scopes: [], tier: 'free' }],
      )
      for (const one of others) assert.equal((await me(one)).status, 401)
      // A browser shows it for pages of anybody.
      assert.equal((await me(robot, { origin: 'https://evil.test' })).status, 401)
      assert.equal((await me(robot, { authorization: 'Bearer a.b.c' })).status, 401)
      const authorization = `Bearer ${await token('u1')}`
      assert.equal(((await me(robot, { authorization })).body['user'] as { id: string }).id, 'u1')
      assert.equal((await me(undefined, { 'x-client-cert': robot.cert.replaceAll('\n', '') })).status, 401)
    }
  })

  it('is needed with a token that is bound to it', async () => {
    const { ask, clientCa, token } = requesting()
    const [mine, other] = await Promise.all(['a', 'b'].map((name) => makeCertificate(clientCa, { name })))
    const thumbprint = new X509Certificate(mine?.cert ?? '').fingerprint256.replaceAll(':', '')
    const cnf = { 'x5t#S256': Buffer.from(thumbprint, 'hex').toString('base64url') }
    const bound = { authorization: `Bearer ${await token('u1', { cnf })}` }
    const free = { authorization: `Bearer ${await token('u1')}` }
    // Twice: once it is checked, once it is known.
    for (const protocol of ['h1', 'h2', 'h1', 'h2'] as const) {
      const status = async (headers: Readonly<Record<string, string>>, certificate?: Pair): Promise<number> =>
        (await ask('/api/v1/me', { headers }, { protocol, certificate })).status
      assert.equal(await status(bound), 401)
      assert.equal(await status(bound, other), 401)
      assert.equal(await status(bound, mine), 200)
      assert.equal(await status(free, mine), 200)
      assert.equal(await status(free), 200)
    }
  })

  it('is over when it expires, also on a connection that is open', async () => {
    const { session, clientCa, token } = requesting()
    const short = await makeCertificate(clientCa, { name: 'a', uris: [ROBOT], lifeMs: 2_000 })
    const opened = session({ certificate: short })
    assert.equal((await askOn(opened, '/api/v1/me')).status, 200)
    await until('it is refused', async () => (await askOn(opened, '/api/v1/me')).status === 401)
    const headers = { authorization: `Bearer ${await token('u1')}` }
    assert.equal((await askOn(opened, '/api/v1/me', { headers })).status, 401)
    opened.destroy()
  })
})
